package outage

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// What follows plays an outage once more, slowly, as the executor's documents have it: what waits is a list that is searched, and a guard is no
// state, but the list of all that happened to it, which each question reads from its beginning.

// happening is what happened to a guard.
type happening struct {
	at     time.Time
	what   string  // to a breaker: let in, failed, answered, not made; to a budget: took, gave
	ticket int     // of a call that a breaker counts: the place of its "let in"; -1: it has none
	tokens float64 // of a budget
}

// breakerReading is how a breaker stands after all that happened.
type breakerReading struct {
	row   int       // failures one after another
	until time.Time // it is open; zero: it is closed
	probe bool      // one call is under way to see whether it may close
	since int       // the place where it changed last: what was let in before says nothing
}

func readBreaker(all []happening) (b breakerReading) {
	for i, h := range all {
		if h.what != "let in" && h.ticket >= 0 && h.ticket < b.since {
			continue
		}
		waits := !b.until.IsZero() && (h.at.Before(b.until) || b.probe)
		switch h.what {
		case "let in":
			if !b.until.IsZero() {
				b.probe, b.since = true, i
			}
		case "not made":
			b.probe = false
		case "answered":
			if b.probe {
				b.since = i
			}
			b.row, b.until, b.probe = 0, time.Time{}, false
		case "failed":
			if h.ticket < 0 && waits {
				continue // it has no say while others wait
			}
			if b.row++; b.row == 5 || !b.until.IsZero() {
				b = breakerReading{until: h.at.Add(15 * time.Second), since: i}
			}
		}
	}
	return b
}

// readBudget is how many tokens there are at a time: 500 at most; one comes back each second.
func readBudget(all []happening, at time.Time) float64 {
	tokens, filled := 500.0, time.Time{}
	pass := func(to time.Time) {
		if !filled.IsZero() {
			tokens = min(500, tokens+float64(to.Sub(filled))/float64(time.Second))
		}
		filled = to
	}
	for _, h := range all {
		if h.what == "gave" {
			tokens = min(500, tokens+h.tokens)
			continue
		}
		pass(h.at)
		tokens -= h.tokens
	}
	pass(at)
	return tokens
}

// plainFlow is a flow that is played plainly.
type plainFlow struct {
	f        *Flow
	s        flow.State
	provider *emulation.Payment
	rand     *rand.Rand
	ticket   int     // of the next call; -1: none
	counts   string  // the breaker that the ticket is of
	charged  float64 // for the next send
	cost     float64 // of the next one
	plan     int     // what it waits for: a wait of an older one is over
	class    policy.Class
	minted   int
	hooks    int
	refused  bool
	met      time.Time
	ended    time.Time
}

// plainWait is what happens at a time.
type plainWait struct {
	at     time.Time
	of     int
	what   string // begin, answer, wake, notice
	plan   int
	query  bool
	ticket int
	answer policy.Answer
}

// plain is a provider's flows in one world.
type plain struct {
	d        policy.Decider
	windows  []Spec
	world    world
	flows    []plainFlow
	waits    []plainWait
	now      time.Time
	breakers map[string][]happening
	budgets  map[string][]happening
	calls    map[int64]int
	sends    int
	queries  int
	delays   delays
}

func playPlainly(d *ruleset.Engine, world world, windows []Spec, flows []Flow) *plain {
	p := &plain{d: d, world: world, windows: windows, breakers: map[string][]happening{}, budgets: map[string][]happening{}, calls: map[int64]int{}}
	for i := range flows {
		f := &flows[i]
		h := fnv.New64a()
		_, _ = fmt.Fprintf(h, "%s\x00%s", f.Payment.Merchant, f.Name)
		x := plainFlow{f: f, s: flow.State{Payment: f.Payment}, rand: rand.New(rand.NewPCG(h.Sum64(), 1)), ticket: -1, cost: 5}
		cat, err := d.Catalog(&f.Payment)
		if err != nil {
			panic(err)
		}
		x.provider, _ = emulation.NewPayment(cat, f.Payment, f.Fate, false, rand.New(rand.NewPCG(h.Sum64(), 2)))
		p.flows = append(p.flows, x)
		p.waits = append(p.waits, plainWait{at: f.At, of: i, what: "begin"})
	}
	for len(p.waits) > 0 {
		first := 0
		for i := range p.waits {
			if p.waits[i].at.Before(p.waits[first].at) {
				first = i
			}
		}
		w := p.waits[first]
		p.waits = slices.Delete(p.waits, first, first+1)
		p.now = w.at
		p.happens(&w)
	}
	return p
}

func (p *plain) happens(w *plainWait) {
	x := &p.flows[w.of]
	switch w.what {
	case "notice":
		if x.s.Stage != flow.New {
			p.step(w.of, flow.Received{Moment: p.moment(x), Answer: w.answer})
		}
	case "answer":
		p.answered(x, w)
	case "begin":
		if x.refused = p.taken(w.of); !x.refused && !p.held(w.of, w.what, false, true, x.f.At) {
			p.step(w.of, flow.Start{Moment: p.moment(x), Accepted: x.f.At, OrderID: x.f.OrderID, RequestID: x.f.RequestID, ProviderID: x.f.ProviderID})
		}
	case "wake":
		a := x.s.Next.Action
		if w.plan != x.plan || (a.Sends() || a == policy.QueryStatus) && p.held(w.of, w.what, a.Sends(), !(a == policy.QueryStatus), x.s.Started) {
			return
		}
		last := x.s.Ledger[len(x.s.Ledger)-1]
		e := flow.Due{Moment: p.moment(x), OrderID: last.OrderID, RequestID: last.RequestID}
		if a == policy.RetryNewOrder || a == policy.RetryNewRequest {
			x.minted++
			e.RequestID = fmt.Sprintf("%s~r%d", x.f.RequestID, x.minted)
		}
		if a == policy.RetryNewOrder {
			e.OrderID = fmt.Sprintf("%s~o%d", x.f.OrderID, x.minted)
		}
		p.step(w.of, e)
	}
}

func (p *plain) moment(x *plainFlow) flow.Moment {
	return flow.Moment{At: p.now, Jitter: x.rand.Float64()}
}

// taken reports whether another flow that has begun, or waits to begin, has the payment key.
func (p *plain) taken(i int) bool {
	of := &p.flows[i].f.Payment
	for k := range p.flows {
		o := &p.flows[k]
		same := of.Key != "" && o.f.Payment.Key == of.Key && o.f.Payment.Merchant == of.Merchant && o.f.Payment.Operation == of.Operation
		before := o.f.At.Before(p.flows[i].f.At) || o.f.At.Equal(p.flows[i].f.At) && k < i
		if k != i && same && before && !o.refused && o.s.Outcome != policy.Failed {
			return true
		}
	}
	return false
}

// held reports whether budget or breaker delay a call, until the time of its flow is over.
func (p *plain) held(i int, what string, pays, sends bool, accepted time.Time) bool {
	x := &p.flows[i]
	left := accepted.Add(p.d.Terms(&x.f.Payment).Limits.MaxElapsed).Sub(p.now)
	if left <= 0 {
		return false
	}
	wait := time.Duration(0)
	if pays {
		if wait = p.take(x); wait > 0 {
			p.delays.Budget++
		}
	}
	if wait == 0 {
		name := x.breaker(!sends)
		b := readBreaker(p.breakers[name])
		switch {
		case b.until.IsZero() && b.row == 0:
			return false // and nothing is counted, unless it fails
		case b.until.IsZero() || !b.until.After(p.now) && !b.probe:
			x.ticket, x.counts = len(p.breakers[name]), name
			p.breakers[name] = append(p.breakers[name], happening{at: p.now, what: "let in"})
			return false
		case b.until.After(p.now):
			wait = b.until.Sub(p.now)
		default:
			wait = 1500 * time.Millisecond
		}
		wait += time.Duration(float64(wait) * x.rand.Float64() / 5)
		p.delays.Breaker++
	}
	wait = max(min(wait, left), time.Millisecond)
	p.delays.MS += wait.Milliseconds()
	p.waits = append(p.waits, plainWait{at: p.now.Add(wait), of: i, what: what, plan: x.plan})
	return true
}

func (x *plainFlow) breaker(query bool) string {
	return fmt.Sprint(x.f.Payment.Merchant, "/", x.f.Payment.Operation, "/", query)
}

// take charges the budget for a send once, or says how long it takes until that is there.
func (p *plain) take(x *plainFlow) time.Duration {
	if x.charged > 0 {
		return 0
	}
	of := x.f.Payment.Merchant
	there := readBudget(p.budgets[of], p.now)
	took := 0.0
	if there >= x.cost {
		took, x.charged = x.cost, x.cost
	}
	p.budgets[of] = append(p.budgets[of], happening{at: p.now, what: "took", tokens: took})
	if took > 0 {
		return 0
	}
	short := time.Duration((x.cost - there) * float64(time.Second))
	for float64(short) < (x.cost-there)*float64(time.Second) {
		short++
	}
	return short
}

// answered takes an answer. Five failures one after another open the breaker; an answer gives a token back, silence does not.
func (p *plain) answered(x *plainFlow, w *plainWait) {
	x.cost, x.class = 5, policy.Unrecognized
	if f := w.answer.Fault; f == policy.Timeout || f == policy.Reset || f == policy.Unreadable {
		x.cost = 10
	}
	if w.query {
		p.step(w.of, flow.Queried{Moment: p.moment(x), Answer: w.answer})
	} else {
		p.step(w.of, flow.Answered{Moment: p.moment(x), Answer: w.answer})
	}
	name, what := x.breaker(w.query), "answered"
	if w.answer.Fault == policy.NotSent || x.class == policy.Maintenance || x.class == policy.RateLimited {
		what = "failed"
	}
	if w.ticket >= 0 || what == "failed" {
		p.breakers[name] = append(p.breakers[name], happening{at: p.now, what: what, ticket: w.ticket})
	}
	if what == "answered" && w.answer.Fault == policy.NoFault {
		p.give(x, 1)
	}
}

func (p *plain) give(x *plainFlow, tokens float64) {
	of := x.f.Payment.Merchant
	p.budgets[of] = append(p.budgets[of], happening{at: p.now, what: "gave", tokens: tokens})
}

// unused gives back what was granted for a call that is not made.
func (p *plain) unused(x *plainFlow) {
	p.noCall(x)
	if x.charged > 0 {
		p.give(x, x.charged)
		x.charged = 0
	}
}

func (p *plain) noCall(x *plainFlow) {
	if x.ticket >= 0 {
		p.breakers[x.counts] = append(p.breakers[x.counts], happening{at: p.now, what: "not made", ticket: x.ticket})
		x.ticket = -1
	}
}

func (p *plain) step(i int, e flow.Event) {
	x := &p.flows[i]
	s, commands, err := flow.Step(p.d, x.s, e)
	if err != nil {
		panic(err)
	}
	x.s, x.s.Evidence = s, nil
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Decided:
			x.class = c.Fact.Class
		case flow.Send:
			x.charged = 0
			p.sends++
			p.call(i, false, c.Deadline)
		case flow.Ask:
			p.queries++
			p.call(i, true, c.Deadline)
		case flow.Wait:
			p.unused(x)
			if x.plan++; c.Action.Sends() {
				p.take(x)
			}
			at := c.Until
			if at.Before(p.now) {
				at = p.now
			}
			p.waits = append(p.waits, plainWait{at: at, of: i, what: "wake", plan: x.plan})
		case flow.Finish:
			p.unused(x)
			x.plan++
			x.ended = p.now
		}
	}
}

// outage is what a call at a time meets; nil: nothing.
func (p *plain) outage(x *plainFlow, at time.Time) *Spec {
	for i := range p.windows {
		w := &p.windows[i]
		if p.world != without && (w.All || w.Operation == x.f.Payment.Operation) && !at.Before(w.From) && at.Before(w.From.Add(w.Length)) {
			return w
		}
	}
	return nil
}

func (p *plain) call(i int, query bool, deadline time.Time) {
	x := &p.flows[i]
	x.plan++
	if x.counts != x.breaker(query) {
		p.noCall(x)
	}
	p.calls[p.now.Unix()]++
	lasts, phase := x.f.Latency, policy.Send
	if query {
		lasts, phase = x.f.QueryLatency, policy.Query
	}
	arrives, answered, a := p.now.Add(lasts/2), p.now.Add(lasts), policy.Answer{Phase: phase}
	switch w := p.outage(x, p.now); {
	case w != nil:
		if end := w.From.Add(w.Length); end.After(x.met) {
			x.met = end
		}
		switch w.Fault {
		case Timeout:
			a.Fault, answered = policy.Timeout, deadline
		case Refused:
			a.Fault, answered = policy.NotSent, p.now.Add(5*time.Millisecond)
		case Unavailable:
			a.Fault, a.HTTPStatus = policy.Unreadable, 503
		}
		if w.Fault != Refused && !query && p.world == arrived {
			p.reach(i, arrives)
		}
	case query:
		id := x.s.Ledger[len(x.s.Ledger)-1]
		if x.s.AskedBy != policy.RequestID {
			id.RequestID = ""
		}
		a = x.provider.Query(arrives, id.OrderID, id.RequestID)
	case x.s.Attempts == 1 && x.f.Fault != policy.NoFault:
		if a.Fault = x.f.Fault; a.Fault == policy.Timeout {
			answered = deadline
		}
		if x.f.Fate.Executes && a.Fault != policy.NotSent {
			p.reach(i, arrives)
		}
	default:
		a = p.reach(i, arrives)
	}
	if answered.After(deadline) {
		answered, a = deadline, policy.Answer{Phase: phase, Fault: policy.Timeout}
	}
	p.waits = append(p.waits, plainWait{at: answered, of: i, what: "answer", query: query, ticket: x.ticket, answer: a})
	x.ticket = -1
}

// reach lets a send arrive. Webhooks follow, none in an outage.
func (p *plain) reach(i int, at time.Time) policy.Answer {
	x := &p.flows[i]
	id := &x.s.Ledger[len(x.s.Ledger)-1]
	a := x.provider.Arrive(at, id.OrderID, id.RequestID)
	if !x.f.Notifies {
		return a
	}
	for _, h := range x.provider.Webhooks()[x.hooks:] {
		x.hooks++
		when := h.At
		if when.Before(p.now) {
			when = p.now
		}
		for w := p.outage(x, when); w != nil; w = p.outage(x, when) {
			when = w.From.Add(w.Length)
		}
		p.waits = append(p.waits, plainWait{at: when, of: i, what: "notice", answer: h.Answer})
	}
	return a
}
