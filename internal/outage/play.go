package outage

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/breaker"
	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Flow is a recorded flow, as far as it is played again.
type Flow struct {
	Name                           string
	Payment                        policy.Payment
	At                             time.Time // of the first send
	OrderID, RequestID, ProviderID string
	Fate                           emulation.Fate
	Notifies                       bool          // the recording has a webhook
	Latency, QueryLatency          time.Duration // of its calls
	Fault                          policy.Fault  // that the first send got, without any outage
}

// world is what becomes of calls that get no answer.
type world int

const (
	without world = iota // there is no outage
	lost                 // none arrives
	arrived              // each arrives
	worlds
)

// play is the flows of a provider in one world.
type play struct {
	d       policy.Decider
	catalog func(*policy.Payment) (*providers.Catalog, error)
	windows []Spec
	world   world
	flows   []Flow
	runs    []run
	guards  map[string]*guards // by merchant
	keys    map[string][]int   // flows that have begun, by what they pay
	queue   queue
	seq     int
	now     time.Time
	calls   map[int64]int // by second
	sends   int
	queries int
	delays  delays
}

// run is one flow of a play.
type run struct {
	f        *Flow
	s        flow.State
	provider *emulation.Payment // nil: the catalogue has no replies for it
	rand     *rand.Rand
	g        *guards
	asked    int              // generation of what the flow waits for: an older wake-up is stale
	charged  float64          // to the budget for the next send; 0: nothing yet
	permit   breaker.Permit   // for the next call
	of       *breaker.Breaker // whose permit it is
	last     *policy.Answer
	class    policy.Class
	minted   int
	notified int       // webhooks that are on their way
	met      time.Time // the end of the last outage in which it called; zero: it met none
	refused  bool      // it did not start: an earlier flow of its payment key has not failed
	ended    time.Time
}

type eventKind uint8

const (
	begins eventKind = iota
	answers
	wakes
	notifies
)

type event struct {
	at     time.Time
	seq    int
	run    int
	kind   eventKind
	asked  int
	query  bool           // of answers: to a query
	permit breaker.Permit // of answers: the breaker's, for the call
	answer policy.Answer
}

// queue has the earliest event first, and of one time the one that was made first.
type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

func (p *play) push(e event) {
	e.seq = p.seq
	p.seq++
	heap.Push(&p.queue, e)
}

// run plays all flows to their ends.
func (p *play) run() {
	p.runs, p.guards, p.keys, p.calls = make([]run, len(p.flows)), map[string]*guards{}, map[string][]int{}, map[int64]int{}
	for i := range p.flows {
		p.begin(i)
	}
	for len(p.queue) > 0 {
		e := heap.Pop(&p.queue).(event)
		p.now = e.at
		r := &p.runs[e.run]
		switch {
		case e.kind == notifies:
			if r.s.Stage != flow.New {
				p.step(e.run, flow.Received{Moment: p.moment(r), Answer: e.answer})
			}
		case e.kind == answers:
			p.answered(&e)
		case e.asked != r.asked: // what the flow waited for has changed since
		case e.kind == begins:
			p.start(e.run)
		default:
			p.due(e.run)
		}
	}
}

// begin sets up a flow. Its randomness is its own, so that it does not depend on the others.
func (p *play) begin(i int) {
	r, f := &p.runs[i], &p.flows[i]
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s", f.Payment.Merchant, f.Name)
	r.f, r.rand = f, rand.New(rand.NewPCG(h.Sum64(), 1))
	r.s = flow.State{Payment: f.Payment}
	if cat, err := p.catalog(&f.Payment); err == nil {
		if w, ok := emulation.NewPayment(cat, f.Payment, f.Fate, false, rand.New(rand.NewPCG(h.Sum64(), 2))); ok {
			r.provider = w
		}
	}
	if r.g = p.guards[f.Payment.Merchant]; r.g == nil {
		r.g = newGuards()
		p.guards[f.Payment.Merchant] = r.g
	}
	p.push(event{at: f.At, run: i, kind: begins})
}

func (p *play) moment(r *run) flow.Moment { return flow.Moment{At: p.now, Jitter: r.rand.Float64()} }

// start makes the first step, when the breaker lets it.
func (p *play) start(i int) {
	r := &p.runs[i]
	if r.refused = !p.free(i); r.refused {
		return
	}
	// A flow's time begins when its payment is accepted. After it nothing delays the first step: the machine ends the flow, and nothing was sent.
	if left := p.left(r, r.f.At); left > 0 {
		if wait := p.allow(r, false); wait > 0 {
			p.delay(i, begins, false, min(wait, left))
			return
		}
	}
	p.step(i, flow.Start{Moment: p.moment(r), Accepted: r.f.At, OrderID: r.f.OrderID, RequestID: r.f.RequestID, ProviderID: r.f.ProviderID})
}

// free takes the payment key of a flow, as a journal does: an earlier flow that has not failed keeps it.
func (p *play) free(i int) bool {
	of := &p.flows[i].Payment
	if of.Key == "" {
		return true
	}
	key := of.Merchant + "\x00" + of.Operation.String() + "\x00" + of.Key
	for _, k := range p.keys[key] {
		if k != i && p.runs[k].s.Outcome != policy.Failed {
			return false
		}
	}
	if !slices.Contains(p.keys[key], i) {
		p.keys[key] = append(p.keys[key], i)
	}
	return true
}

// left is how long a flow may still call that was accepted at a time.
func (p *play) left(r *run, accepted time.Time) time.Duration {
	return accepted.Add(p.d.Terms(&r.s.Payment).Limits.MaxElapsed).Sub(p.now)
}

// delay lets a flow wait for a guard.
func (p *play) delay(i int, kind eventKind, byBudget bool, wait time.Duration) {
	wait = max(wait, time.Millisecond)
	p.delays.add(byBudget, wait)
	p.push(event{at: p.now.Add(wait), run: i, kind: kind, asked: p.runs[i].asked})
}

// allow asks the breaker for a call, and says how long to wait. A breaker that has counted no failure gives no permit, as in the executor.
func (p *play) allow(r *run, query bool) time.Duration {
	gate := r.g.gate(r.f.Payment.Operation, query)
	if gate.Quiet() {
		return 0
	}
	permit, wait := gate.Allow(p.now)
	if permit.Valid() {
		r.permit, r.of = permit, gate
		return 0
	}
	return wait + time.Duration(float64(wait)*r.rand.Float64()/5)
}

// due carries out what the flow waits for, when budget and breaker let it. They delay nothing past the flow's own time.
func (p *play) due(i int) {
	r := &p.runs[i]
	sends := r.s.Next.Action.Sends()
	left := p.left(r, r.s.Started)
	if (sends || r.s.Next.Action == policy.QueryStatus) && left > 0 {
		wait, byBudget := time.Duration(0), false
		if sends {
			wait = p.charge(r)
			byBudget = wait > 0
		}
		if wait == 0 {
			wait = p.allow(r, !sends)
		}
		if wait > 0 {
			p.delay(i, wakes, byBudget, min(wait, left))
			return
		}
	}
	e := flow.Due{Moment: p.moment(r)}
	last := &r.s.Ledger[len(r.s.Ledger)-1]
	e.OrderID, e.RequestID = last.OrderID, last.RequestID
	switch r.s.Next.Action {
	case policy.RetryNewOrder:
		r.minted++
		e.OrderID = fmt.Sprintf("%s~o%d", r.f.OrderID, r.minted)
		e.RequestID = fmt.Sprintf("%s~r%d", r.f.RequestID, r.minted)
	case policy.RetryNewRequest:
		r.minted++
		e.RequestID = fmt.Sprintf("%s~r%d", r.f.RequestID, r.minted)
	default: // the same request, or none
	}
	p.step(i, e)
}

// answered processes the answer to a call, and then reports to budget and breaker.
func (p *play) answered(ev *event) {
	r := &p.runs[ev.run]
	r.last, r.class = &ev.answer, policy.Unrecognized
	if ev.query {
		p.step(ev.run, flow.Queried{Moment: p.moment(r), Answer: ev.answer})
	} else {
		p.step(ev.run, flow.Answered{Moment: p.moment(r), Answer: ev.answer})
	}
	permit, result := ev.permit, resultOf(&ev.answer, r.class)
	if !permit.Valid() && result == breaker.Failure { // a call that was made without asking counts where it failed
		permit, _ = r.g.gate(r.f.Payment.Operation, ev.query).Allow(p.now)
	}
	if permit.Valid() {
		permit.Done(result, p.now)
	}
	if result == breaker.Success && ev.answer.Fault == policy.NoFault { // silence earns no retries
		r.g.budget.Give(breaker.DefaultSuccess)
	}
}

// step steps the machine and carries out its commands. A step that the machine refuses is a mistake of this package.
func (p *play) step(i int, e flow.Event) {
	r := &p.runs[i]
	s, commands, err := flow.Step(p.d, r.s, e)
	if err != nil {
		panic(err)
	}
	r.s = s
	r.s.Evidence = nil // it is for people
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Send:
			r.charged = 0
			p.call(i, false, c.Deadline)
		case flow.Ask:
			p.call(i, true, c.Deadline)
		case flow.Wait:
			p.wait(i, &c)
		case flow.Decided:
			r.class = c.Fact.Class
		case flow.Finish:
			p.release(r)
			r.asked++
			r.ended = p.now
		default: // nothing is written down, and alerts are for people
		}
	}
}

// release gives back what was granted for a call that is not made.
func (p *play) release(r *run) {
	p.returnPermit(r)
	if r.charged > 0 {
		r.g.budget.Give(r.charged)
		r.charged = 0
	}
}

func (p *play) returnPermit(r *run) {
	if r.permit.Valid() {
		r.permit.Done(breaker.NotMade, p.now)
		r.permit = breaker.Permit{}
	}
}

// charge charges the budget for the next send, once, or returns how long the tokens take to come back.
func (p *play) charge(r *run) (wait time.Duration) {
	if r.charged > 0 {
		return 0
	}
	c := cost(r.last)
	if wait = r.g.budget.Take(c, p.now); wait == 0 {
		r.charged = c
	}
	return wait
}

// wait plans the next step. The budget is charged now, so that its wait and that of the rules run together.
func (p *play) wait(i int, c *flow.Wait) {
	r := &p.runs[i]
	p.release(r)
	r.asked++
	if c.Action.Sends() {
		p.charge(r)
	}
	p.push(event{at: later(c.Until, p.now), run: i, kind: wakes, asked: r.asked})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// call makes a call and plans its answer.
func (p *play) call(i int, query bool, deadline time.Time) {
	r := &p.runs[i]
	r.asked++
	if r.of != r.g.gate(r.f.Payment.Operation, query) { // a permit of the other kind would count for the wrong breaker
		p.returnPermit(r)
	}
	permit := r.permit
	r.permit = breaker.Permit{}
	p.calls[p.now.Unix()]++
	latency, phase := r.f.Latency, policy.Send
	if query {
		p.queries++
		latency, phase = r.f.QueryLatency, policy.Query
	} else {
		p.sends++
	}
	first := !query && r.s.Attempts == 1
	a, at := policy.Answer{Phase: phase}, p.now.Add(latency)
	w := p.hit(r.f.Payment.Operation, p.now)
	switch {
	case w != nil:
		r.met = later(r.met, w.to())
		a.Fault, at = p.faulty(w, latency, deadline)
		if a.Fault == policy.Unreadable {
			a.HTTPStatus = 503
		}
		if p.world == arrived && w.Fault.mayArrive() && !query {
			p.reach(i, p.now.Add(latency/2))
		}
	case first && r.f.Fault != policy.NoFault:
		a.Fault = r.f.Fault
		if a.Fault == policy.Timeout {
			at = deadline
		}
		if r.f.Fate.Executes && a.Fault != policy.NotSent {
			p.reach(i, p.now.Add(latency/2))
		}
	case r.provider == nil:
		a.Fault, at = policy.Timeout, deadline
	case query:
		id := &r.s.Ledger[len(r.s.Ledger)-1]
		request := ""
		if r.s.AskedBy == policy.RequestID {
			request = id.RequestID
		}
		a = r.provider.Query(p.now.Add(latency/2), id.OrderID, request)
	default:
		a = p.reach(i, p.now.Add(latency/2))
	}
	if at.After(deadline) {
		a, at = policy.Answer{Phase: phase, Fault: policy.Timeout}, deadline
	}
	p.push(event{at: at, run: i, kind: answers, query: query, permit: permit, answer: a})
}

// hit is the outage that a call meets; nil: none.
func (p *play) hit(op policy.Operation, at time.Time) *Spec {
	if p.world == without {
		return nil
	}
	for k := range p.windows {
		if w := &p.windows[k]; (w.All || w.Operation == op) && !at.Before(w.From) && at.Before(w.to()) {
			return w
		}
	}
	return nil
}

// refusedAfter is how long a refused connection takes.
const refusedAfter = 5 * time.Millisecond

func (p *play) faulty(w *Spec, latency time.Duration, deadline time.Time) (policy.Fault, time.Time) {
	switch w.Fault {
	case Refused:
		return policy.NotSent, p.now.Add(refusedAfter)
	case Unavailable:
		return policy.Unreadable, p.now.Add(latency)
	case Timeout:
	}
	return policy.Timeout, deadline
}

// reach lets a send reach the provider, and plans the webhooks that follow. None comes in an outage.
func (p *play) reach(i int, at time.Time) policy.Answer {
	r := &p.runs[i]
	if r.provider == nil {
		return policy.Answer{Phase: policy.Send, Fault: policy.Timeout}
	}
	id := &r.s.Ledger[len(r.s.Ledger)-1]
	a := r.provider.Arrive(at, id.OrderID, id.RequestID)
	if !r.f.Notifies {
		return a
	}
	hooks := r.provider.Webhooks()
	for ; r.notified < len(hooks); r.notified++ {
		h := &hooks[r.notified]
		when := later(h.At, p.now)
		for w := p.hit(r.f.Payment.Operation, when); w != nil; w = p.hit(r.f.Payment.Operation, when) {
			when = w.to()
		}
		p.push(event{at: when, run: i, kind: notifies, answer: h.Answer})
	}
	return a
}
