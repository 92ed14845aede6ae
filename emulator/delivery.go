package emulator

import (
	"net/http"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// refusedAfter is how long a refused connection takes.
const refusedAfter = 5 * time.Millisecond

// Delivery is what becomes of one call, as its client sees it.
type Delivery struct {
	// Answer is what the client hears. Its Fault says what it hears instead of one: not_sent,
	// timeout, reset, or unreadable with an HTTP status.
	Answer policy.Answer
	Body   []byte    // as it is sent; nil when nothing comes
	Heard  time.Time // when it is heard; at a timeout, when the client's patience ends
	Fault  FaultKind // what went wrong; NoFault: nothing
}

// Within is what a client hears that waits until a time only.
func (d Delivery) Within(deadline time.Time) Delivery {
	if d.Heard.After(deadline) && d.Answer.Fault != policy.NotSent {
		d.Answer, d.Body, d.Heard = policy.Answer{Phase: d.Answer.Phase, Fault: policy.Timeout}, nil, deadline
	}
	return d
}

// Call plays one call that a client begins at a time: a send or a query, by r.Phase. A
// send is of the first operation of r; a query is about whichever of them its order had
// last. The call of an operation that the provider has no words for is answered with
// HTTP 501.
func (p *Provider) Call(at time.Time, r providers.Request) Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.IsZero() {
		p.start = at
	}
	p.arrivals(at)
	p.calls++
	p.locate(&r)
	c, op := p.conduct(r.OrderID), p.operation(at, &r)
	hit, hidden := transport(p.strikes(c, op, r.Phase, r.OrderID))
	latency := p.plan.send.draw(c.rand)
	if r.Phase == policy.Query {
		latency = p.plan.query.draw(c.rand)
	}
	arrives, heard := at.Add(latency/2), at.Add(latency)
	gaveUp := at.Add(p.patience(op))
	hidden = p.bounded(op, hidden)
	d := Delivery{Answer: policy.Answer{Phase: r.Phase}, Heard: heard, Fault: hit.kind}
	silence := func() { d.Answer.Fault, d.Heard = policy.Timeout, gaveUp }
	switch hit.kind {
	case Refuse:
		d.Answer.Fault, d.Heard = policy.NotSent, at.Add(refusedAfter)
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
		d = p.answer(op, p.process(arrives, &r, hidden), heard.Add(hit.lasts))
		d.Fault = Delay
	default: // nothing: the other kinds do not hit calls
		d = p.answer(op, p.process(arrives, &r, hidden), heard)
	}
	if hidden > 0 && d.Fault == NoFault {
		d.Fault = NotFoundEarly
	}
	p.note(c, at, op, &r, &d)
	return d
}

// transport takes the first fault that hits the call itself, and for how long queries are
// not to find it.
func transport(all []strike) (hit strike, hidden time.Duration) {
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
// a time they do, and the emulator does not lie.
func (p *Provider) bounded(op policy.Operation, hidden time.Duration) time.Duration {
	if bound := p.cat.Contract(op).NotFoundAfter; bound > 0 {
		return min(hidden, bound)
	}
	return hidden
}

func (p *Provider) patience(op policy.Operation) time.Duration {
	if p.plan.patience > 0 {
		return p.plan.patience
	}
	contract := p.cat.Contract(op)
	return contract.CallTimeout()
}

// operation is the one that a call is about.
func (p *Provider) operation(at time.Time, r *providers.Request) policy.Operation {
	if r.Phase == policy.Query {
		if t := p.book.find(at, ask(r)); t != nil {
			return t.world.payment.Operation
		}
	}
	return r.Operations[0]
}

func ask(r *providers.Request) *question {
	return &question{operations: r.Operations, orderID: r.OrderID, requestID: r.RequestID, providerID: r.ProviderID}
}

// reply is what the provider says, and whether its door was closed.
type reply struct {
	answer policy.Answer
	closed FaultKind // Maintenance, RateLimit or NoFault
}

// process lets a request in, or turns it away at the door.
func (p *Provider) process(at time.Time, r *providers.Request, hidden time.Duration) reply {
	op := p.operation(at, r)
	s := speechFor(p.cat, policy.Payment{Provider: p.cat.Name, Operation: op, Capture: r.Capture})
	random := p.conduct(r.OrderID).rand
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
		q := ask(r)
		if t := p.book.find(at, q); t != nil {
			return reply{answer: t.asked(at)}
		}
		return reply{answer: s.notFound(random, q)}
	}
	w, ok := p.world(r)
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

// answer packs what the provider says.
func (p *Provider) answer(op policy.Operation, r reply, heard time.Time) Delivery {
	d := Delivery{Answer: r.answer, Heard: heard, Fault: r.closed}
	if r.answer.Fault == policy.Unreadable {
		d.Body = page(r.answer.HTTPStatus, http.StatusText(r.answer.HTTPStatus))
		return d
	}
	body, ok := p.cat.Body(op, &r.answer, heard)
	if !ok {
		body = []byte("{}")
	}
	d.Body = body
	return d
}

// Refuse plays a call that the provider cannot read, or that asks for something it cannot
// be asked for: it is refused for one of the reasons that the provider has words for. ok
// is false when it has none.
func (p *Provider) Refuse(at time.Time, op policy.Operation, ph policy.Phase, reasons ...policy.Class) (d Delivery, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	s := speechFor(p.cat, policy.Payment{Provider: p.cat.Name, Operation: op})
	for _, why := range reasons {
		if a, ok := s.refusal(p.random("refusal"), ph, why); ok {
			return p.answer(op, reply{answer: a}, at), true
		}
	}
	return Delivery{}, false
}
