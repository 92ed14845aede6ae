package emulation

import (
	"net/http"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// refusedAfter is how long a refused connection takes.
const refusedAfter = 5 * time.Millisecond

// CallResult is what becomes of one call, as its client sees it.
type CallResult struct {
	// Answer is what the client receives. Its Fault says what it receives instead of one: not_sent,
	// timeout, reset, or unreadable with an HTTP status.
	Answer     policy.Answer
	Header     map[string]string
	Body       []byte    // as it is sent; nil when nothing comes
	ReceivedAt time.Time // when it is received; at a timeout, when the client stops waiting
	Fault      FaultKind // what went wrong; NoFault: nothing
}

// Within is what a client receives that waits until a deadline only.
func (d CallResult) Within(deadline time.Time) CallResult {
	if d.ReceivedAt.After(deadline) && d.Answer.Fault != policy.NotSent {
		d.Answer, d.Body, d.ReceivedAt = policy.Answer{Phase: d.Answer.Phase, Fault: policy.Timeout}, nil, deadline
	}
	return d
}

// Call plays one call that a client begins at a time: a send or a query, by r.Phase. A
// send is of the first operation of r; a query is about whichever of them its order had
// last. The call of an operation without any reply in the catalogue is answered with
// HTTP 501.
func (p *Provider) Call(at time.Time, r providers.Request) CallResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.IsZero() {
		p.start = at
	}
	p.arrivals(at)
	p.calls++
	p.locate(&r)
	c, op := p.orderState(r.OrderID), p.operation(at, &r)
	hit, hidden := transport(p.hits(c, op, r.Phase, r.OrderID))
	latency := p.plan.send.draw(c.rand)
	if r.Phase == policy.Query {
		latency = p.plan.query.draw(c.rand)
	}
	arrives, received := at.Add(latency/2), at.Add(latency)
	gaveUp := at.Add(p.clientTimeout(op))
	hidden = p.bounded(op, hidden)
	d := CallResult{Answer: policy.Answer{Phase: r.Phase}, ReceivedAt: received, Fault: hit.kind}
	silence := func() { d.Answer.Fault, d.ReceivedAt = policy.Timeout, gaveUp }
	switch hit.kind {
	case Refuse:
		d.Answer.Fault, d.ReceivedAt = policy.NotSent, at.Add(refusedAfter)
	case DropRequest:
		silence()
	case ExecuteLate:
		p.late.push(gaveUp.Add(hit.lasts), late{r, hidden})
		silence()
	case DropResponse:
		p.process(arrives, &r, hidden)
		silence()
	case ResetConnection:
		p.process(arrives, &r, hidden)
		d.Answer.Fault = policy.Reset
	case ErrorAfter:
		p.process(arrives, &r, hidden)
		d.Answer.Fault, d.Answer.HTTPStatus = policy.Unreadable, hit.status
		d.Body = page(hit.status, http.StatusText(hit.status))
	case Delay:
		d = p.answer(op, p.process(arrives, &r, hidden), received.Add(hit.lasts))
		d.Fault = Delay
	default: // nothing: the other kinds do not hit calls
		d = p.answer(op, p.process(arrives, &r, hidden), received)
	}
	if hidden > 0 && d.Fault == NoFault {
		d.Fault = NotFoundEarly
	}
	p.note(c, at, op, &r, &d)
	return d
}

// transport takes the first fault that hits the call itself, and for how long queries are
// not to find it.
func transport(all []faultHit) (hit faultHit, hidden time.Duration) {
	for _, s := range all {
		switch {
		case s.kind == NotFoundEarly:
			hidden = max(hidden, s.lasts)
		case hit.kind == NoFault:
			hit = s
		}
	}
	return hit, hidden
}

// bounded limits how long queries do not find a request: the contract may promise that after
// a time they do, and the emulator keeps the contract.
func (p *Provider) bounded(op policy.Operation, hidden time.Duration) time.Duration {
	if bound := p.cat.Contract(op).NotFoundAfter; bound > 0 {
		return min(hidden, bound)
	}
	return hidden
}

func (p *Provider) clientTimeout(op policy.Operation) time.Duration {
	if p.plan.clientTimeout > 0 {
		return p.plan.clientTimeout
	}
	contract := p.cat.Contract(op)
	return contract.CallTimeout()
}

// operation is the one that a call is about.
func (p *Provider) operation(at time.Time, r *providers.Request) policy.Operation {
	if r.Phase == policy.Query {
		if t := p.index.find(at, queryOf(r)); t != nil {
			return t.owner.of.Operation
		}
	}
	return r.Operations[0]
}

func queryOf(r *providers.Request) *queryKey {
	return &queryKey{operations: r.Operations, orderID: r.OrderID, requestID: r.RequestID, providerID: r.ProviderID}
}

// reply is a reply of the provider, and whether a closed door caused it.
type reply struct {
	answer policy.Answer
	closed FaultKind // Maintenance, RateLimit or NoFault
}

// process processes a request, or refuses it at the door.
func (p *Provider) process(at time.Time, r *providers.Request, hidden time.Duration) reply {
	op := p.operation(at, r)
	s := repliesFor(p.cat, policy.Payment{Provider: p.cat.Name, Operation: op, Capture: r.Capture})
	random := p.orderState(r.OrderID).rand
	if closed, again := p.closed(at, op); closed != NoFault {
		class, status := policy.Maintenance, http.StatusServiceUnavailable
		if closed == RateLimit {
			class, status = policy.RateLimited, http.StatusTooManyRequests
		}
		a, ok := s.refusal(random, r.Phase, class)
		if !ok {
			a = policy.Answer{Phase: r.Phase, Fault: policy.Unreadable, HTTPStatus: status}
		}
		a = name(a, r.OrderID, r.RequestID)
		a.RetryAfter = again
		return reply{a, closed}
	}
	if r.Phase == policy.Query {
		q := queryOf(r)
		if t := p.index.find(at, q); t != nil {
			return reply{answer: t.queryReply(at)}
		}
		return reply{answer: s.notFound(random, q)}
	}
	w, ok := p.paymentOf(r)
	if !ok {
		return reply{answer: policy.Answer{Phase: r.Phase, Fault: policy.Unreadable, HTTPStatus: http.StatusNotImplemented}}
	}
	in := &arrival{
		orderID: r.OrderID, requestID: r.RequestID, keyed: r.Keyed, amount: max(0, r.Amount), currency: r.Currency,
		notify: r.NotifyURL, hidden: hidden,
	}
	if op == policy.Capture || op == policy.Cancel {
		in.providerID = r.ProviderID // their answers bear the payment's
	}
	a, made := w.arrive(at, in)
	if made != nil {
		p.schedule(made)
	}
	return reply{answer: a}
}

// closed reports whether the door is closed, and when to come again.
func (p *Provider) closed(at time.Time, op policy.Operation) (why FaultKind, again time.Duration) {
	for i := range p.plan.windows {
		w := &p.plan.windows[i]
		if len(w.operations) > 0 && !slices.Contains(w.operations, op) {
			continue
		}
		if closes, open := w.until(at, p.start); open {
			return Maintenance, closes.Sub(at)
		}
	}
	q := p.plan.quota
	if q.calls == 0 {
		return NoFault, 0
	}
	if period := at.Truncate(q.per); period.After(p.period) {
		p.period, p.inside = period, 0
	}
	if p.inside++; p.inside <= q.calls {
		return NoFault, 0
	}
	return RateLimit, p.period.Add(q.per).Sub(at)
}

// answer renders a reply as the client receives it.
func (p *Provider) answer(op policy.Operation, r reply, received time.Time) CallResult {
	d := CallResult{Answer: r.answer, ReceivedAt: received, Fault: r.closed}
	if r.answer.Fault == policy.Unreadable {
		d.Body = page(r.answer.HTTPStatus, http.StatusText(r.answer.HTTPStatus))
		return d
	}
	m, ok := p.cat.Message(op, &r.answer, received)
	if !ok {
		m.Body = []byte("{}")
	}
	d.Header, d.Body = m.Header, m.Body
	return d
}

// Refuse plays a call that the provider cannot read, or that asks for something it cannot
// be queryReply for: it is refused for one of the reasons that the catalogue has a reply for. ok
// is false when it has none.
func (p *Provider) Refuse(at time.Time, op policy.Operation, ph policy.Phase, reasons ...policy.Class) (d CallResult, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	s := repliesFor(p.cat, policy.Payment{Provider: p.cat.Name, Operation: op})
	for _, why := range reasons {
		if a, ok := s.refusal(p.random("refusal"), ph, why); ok {
			return p.answer(op, reply{answer: a}, at), true
		}
	}
	return CallResult{}, false
}
