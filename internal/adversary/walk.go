package adversary

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// S4 to S6 stand beside the flow's own properties.
const (
	S4 flow.Property = "S4" // every flow ends, within its limits
	S5 flow.Property = "S5" // the rules never have to be corrected
	S6 flow.Property = "S6" // never succeeded when it is disputed
)

// finding is what a walk found.
type finding struct {
	property flow.Property
	why      string
	rule     string // FILE:LINE of the rule that was corrected
	payment  policy.Payment
	events   []flow.Event
}

// walker plays random walks of one payment's rules.
type walker struct {
	*rand.Rand
	decider policy.Decider
	terms   *policy.Terms
	payment policy.Payment
	pools   *[3]pool
	spans   []time.Duration // that the rules or the contract name

	world   world
	state   flow.State
	now     time.Time
	flows   int  // of the payment key so far
	names   int  // makes identifiers
	spoken  bool // a person has spoken about this flow
	under   int  // the copy whose answer the flow waits for; -1: none
	calls   []call
	asked   question
	unread  []lateQuery
	events  []flow.Event
	seen    *Coverage
	deepest int // events of one walk at most
	mood    mood

	event flow.Event // under way
	watch watchFunc  // nil: none
}

// call is a send whose answer the flow does not wait for any more.
type call struct {
	attempt, wire int
	gone          bool // with its process: it cannot fail any more, and a reply may have been kept
}

// lateQuery is a query whose answer the flow does not wait for any more.
type lateQuery struct {
	number int
	question
}

// dawn is the week in which every walk begins.
var dawn = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// walk plays one walk to its end. It returns nil when everything held.
func (w *walker) walk() (*finding, int) {
	w.world.coin = func(n int) bool { return w.IntN(n) == 0 }
	w.world.reset(&w.terms.Contract, &w.payment)
	w.now = dawn.Add(time.Duration(w.IntN(7*24*60)) * time.Minute)
	w.flows, w.names, w.under = 0, 0, -1
	w.calls, w.unread, w.events = w.calls[:0], w.unread[:0], w.events[:0]
	steps := 0
	for f := w.begin(nil); ; f = w.next() {
		steps++
		if f != nil {
			return f, steps
		}
		if len(w.events) >= w.deepest || w.done() {
			return nil, steps
		}
	}
}

// done reports whether nothing of interest can happen any more.
func (w *walker) done() bool {
	if w.state.Stage != flow.Ended {
		return false
	}
	return w.state.Outcome == policy.Succeeded || w.flows >= 3 || w.IntN(6) == 0
}

func (w *walker) fresh(prefix string) string {
	w.names++
	return prefix + string(rune('a'+w.names%26)) + string(rune('a'+w.names/26))
}

// begin starts a flow of the payment key: under a new order, or under the last one of an earlier flow.
func (w *walker) begin(earlier []flow.Identity) *finding {
	w.flows++
	w.state = flow.State{Payment: w.payment}
	w.spoken = false
	w.under, w.calls, w.unread = -1, w.calls[:0], w.unread[:0]
	e := flow.Start{Moment: w.moment(), OrderID: w.fresh("o-"), RequestID: w.fresh("r-"), Earlier: earlier}
	if len(earlier) > 0 && w.IntN(3) > 0 {
		e.OrderID = earlier[w.IntN(len(earlier))].OrderID
	}
	if op := w.payment.Operation; actsOnTarget(op) || op == policy.Refund {
		e.ProviderID = target
	}
	return w.step(e)
}

func (w *walker) moment() flow.Moment { return flow.Moment{At: w.now, Jitter: w.Float64()} }

// pass lets time go by: nothing, a little, or just to an age that the contract, the limits or a rule name.
func (w *walker) pass() {
	switch w.IntN(8) {
	case 0, 1, 2:
	case 3, 4:
		w.now = w.now.Add(time.Second)
	case 5:
		w.now = w.now.Add(time.Duration(w.IntN(90)) * time.Second)
	case 6:
		w.jump()
	default:
		w.now = w.now.Add(time.Duration(w.IntN(40)) * time.Minute)
	}
}

// jump goes to where an age ends, just before or just after.
func (w *walker) jump() {
	from := w.state.Started
	if n := len(w.state.Ledger); n > 0 && w.IntN(2) == 0 {
		id := &w.state.Ledger[w.IntN(n)]
		from = one(w.Rand, id.FirstSent, id.LastSent, id.Deadline)
	}
	to := from.Add(one(w.Rand, w.spans...) + time.Duration(w.IntN(3)-1))
	if to.After(w.now) && to.Sub(w.now) < 60*24*time.Hour {
		w.now = to
	}
}

// next lets one thing happen.
func (w *walker) next() *finding {
	if w.IntN(w.mood.disturb) == 0 {
		return w.disturb()
	}
	switch w.state.Stage {
	case flow.Sending:
		w.pass()
		if w.now.After(w.state.Ledger[len(w.state.Ledger)-1].Deadline) && w.IntN(4) > 0 {
			w.now = w.state.Ledger[len(w.state.Ledger)-1].Deadline
		}
		a := w.sendAnswer(w.under)
		return w.step(flow.Answered{Moment: w.moment(), Answer: a})
	case flow.Querying:
		w.pass()
		return w.step(flow.Queried{Moment: w.moment(), Answer: w.queryAnswer(&w.asked)})
	case flow.Waiting:
		if w.now.Before(w.state.Next.At) {
			w.now = w.state.Next.At
		}
		if w.IntN(6) == 0 {
			w.pass()
		}
		e := flow.Due{Moment: w.moment(), RequestID: w.fresh("r-")}
		if w.IntN(8) > 0 {
			e.OrderID = w.fresh("o-")
		}
		return w.step(e)
	default:
		w.pass()
		if w.state.Outcome != policy.Succeeded && w.IntN(2) == 0 {
			return w.begin(slices.Clone(w.state.Ledger))
		}
		return w.disturb()
	}
}

// disturb is what comes without being asked for.
func (w *walker) disturb() *finding {
	w.pass()
	switch weighted(w.Rand, w.mood.events[:]) {
	case 0:
		return w.step(flow.Resumed{Moment: w.moment()})
	case 1:
		if w.state.Stage == flow.Ended {
			return nil
		}
		return w.step(flow.Withdrawn{Moment: w.moment(), Why: "the shopper left"})
	case 2:
		return w.settleByHand()
	case 3:
		return w.late()
	case 4: // a copy arrives, and no answer comes
		if n := len(w.world.wires); n > 0 {
			if k := w.IntN(n); k != w.under {
				w.world.arrive(k, w.now)
			}
		}
		return nil
	case 5:
		return w.webhook()
	}
	return nil
}

// settleByHand is the word of a person.
func (w *walker) settleByHand() *finding {
	if len(w.state.Ledger) == 0 {
		return nil
	}
	i := w.IntN(len(w.state.Ledger))
	e := one(w.Rand, policy.Executed, policy.NotExecuted)
	if w.state.Ledger[i].Effect.Settled() || !w.world.resolve(&w.state.Ledger[i], e, w.under) {
		return nil
	}
	w.world.foreign, w.world.disputed = false, false // the person sees it
	w.spoken = true
	return w.step(flow.Resolved{Moment: w.moment(), Identity: i, Effect: e, Who: "a person", Why: "looked it up"})
}

// late is the answer of a call that the flow does not wait for any more.
func (w *walker) late() *finding {
	if n := len(w.calls); n > 0 && w.IntN(2) == 0 {
		c := w.calls[w.IntN(n)]
		a := w.sendAnswer(c.wire)
		if noReply := a.Fault == policy.Timeout || a.Fault == policy.Reset || a.Fault == policy.NotSent; noReply && c.gone {
			return nil
		}
		return w.step(flow.Answered{Moment: w.moment(), Answer: a, Attempt: c.attempt})
	}
	if n := len(w.unread); n > 0 {
		q := w.unread[w.IntN(n)]
		return w.step(flow.Queried{Moment: w.moment(), Answer: w.queryAnswer(&q.question), Query: q.number})
	}
	return nil
}

// draw is an answer of a phase: first the effect, so that each is common, then an answer of it.
func (w *walker) draw(ph policy.Phase) *said {
	p := &w.pools[ph]
	if w.spoken && w.mood.person && len(p.claims) > 0 && w.IntN(3) == 0 {
		return &p.claims[w.IntN(len(p.claims))]
	}
	for {
		e := weighted(w.Rand, w.mood.effects[:])
		list := p.any[e]
		if len(p.near) > 0 && w.IntN(w.mood.hot) > 0 {
			if near := p.near[w.mood.rule][e]; len(near) > 0 {
				list = near
			}
		}
		if len(list) > 0 {
			return &list[w.IntN(len(list))]
		}
	}
}

// tries bounds how often an answer is drawn until the provider can give one.
const tries = 4

// sendAnswer is an answer to one copy.
func (w *walker) sendAnswer(k int) policy.Answer {
	for range tries {
		s := w.draw(policy.Send)
		a := s.answer
		if a.Fault == policy.NoFault && w.IntN(12) == 0 {
			w.nameOther(&a)
			return a
		}
		if a.Fault == policy.NotSent && k != w.under {
			continue
		}
		if w.refusesOther(s) {
			a.Amount = policy.OddAmount
			return a
		}
		if k != w.under && s.fact.Effect == policy.Executed && w.IntN(10) == 0 {
			w.nameStranger(&a, w.world.wires[k].order)
			return a
		}
		if w.world.reply(k, &a, s.fact, w.now) {
			if a.Fault != policy.NoFault {
				return a
			}
			if i := w.world.wires[k].record; i >= 0 {
				w.name(&a, &w.world.records[i], s.fact, true)
			}
			if s.fact.Effect == policy.Unknown || s.fact.Effect == policy.NotExecuted && s.fact.Stage == policy.Door {
				w.nameEarlier(&a, w.world.wires[k].order)
			}
			return a
		}
	}
	return policy.Answer{Fault: policy.Timeout}
}

// queryAnswer is an answer to a query.
func (w *walker) queryAnswer(q *question) policy.Answer {
	for range tries {
		s := w.draw(policy.Query)
		a := s.answer
		if a.Fault == policy.NoFault {
			if w.IntN(12) == 0 {
				w.nameOther(&a)
				return a
			}
			if w.refusesOther(s) {
				a.Amount = policy.OddAmount
				return a
			}
			if q.by == policy.OrderID && s.fact.Effect == policy.Executed && w.IntN(10) == 0 {
				w.nameStranger(&a, q.id.OrderID)
				return a
			}
		}
		if q.by == policy.OrderID && s.fact.Class == policy.NotFound && s.fact.Effect == policy.Unknown && w.IntN(4) == 0 && w.missesOne(q, &a) {
			return a
		}
		if about, ok := w.world.look(q, s.fact, w.now); ok {
			if about >= 0 {
				w.name(&a, &w.world.records[about], s.fact, true)
			} else if a.Fault == policy.NoFault && s.fact.Class != policy.NotFound && q.by == policy.OrderID {
				w.nameEarlier(&a, q.id.OrderID)
			}
			return a
		}
	}
	return policy.Answer{Fault: policy.Timeout}
}

// webhook is a message that comes unasked.
func (w *walker) webhook() *finding {
	s := w.draw(policy.Webhook)
	a := s.answer
	if a.Verified = w.IntN(5) > 0; !a.Verified {
		if len(w.state.Ledger) > 0 {
			a.OrderID = one(w.Rand, w.state.Ledger[w.IntN(len(w.state.Ledger))].OrderID, "", "o-other")
		}
		return w.step(flow.Received{Moment: w.moment(), Answer: a})
	}
	if n := len(w.state.Ledger); n > 0 && s.fact.Effect == policy.Executed && w.IntN(10) == 0 {
		w.nameStranger(&a, w.state.Ledger[w.IntN(n)].OrderID)
		return w.step(flow.Received{Moment: w.moment(), Answer: a})
	}
	if n := len(w.state.Ledger); n > 0 && w.refusesOther(s) {
		id := &w.state.Ledger[w.IntN(n)]
		a.OrderID, a.RequestID, a.Amount = id.OrderID, id.RequestID, policy.OddAmount
		return w.step(flow.Received{Moment: w.moment(), Answer: a})
	}
	if w.IntN(8) == 0 {
		w.nameOther(&a)
		return w.step(flow.Received{Moment: w.moment(), Answer: a})
	}
	about, ok := w.world.notice(s.fact, w.now)
	if !ok || about < 0 {
		return nil
	}
	w.name(&a, &w.world.records[about], s.fact, false)
	return w.step(flow.Received{Moment: w.moment(), Answer: a})
}

// name writes into an answer which record it speaks of, and the amount that was executed.
func (w *walker) name(a *policy.Answer, r *record, f policy.Fact, paired bool) {
	n := w.IntN(6)
	if !paired && n == 0 {
		n = 1 + w.IntN(5)
	}
	order := n == 1 || n == 2 || n == 3 || n == 4
	if order {
		a.OrderID = r.order
	}
	if n == 2 || n == 3 {
		a.RequestID = r.request
	}
	if n == 3 || n == 4 || n == 5 {
		a.ProviderID = r.provider
	}
	if f.Effect != policy.Executed {
		return
	}
	switch {
	case r.other && w.payment.Currency != "" && (w.payment.Amount == 0 || w.IntN(2) == 0):
		if a.Currency = "XTS"; w.payment.Currency == a.Currency {
			a.Currency = "XXX"
		}
	case r.other:
		a.Amount = one(w.Rand, w.payment.Amount+1, policy.OddAmount)
	case w.IntN(2) == 0:
		a.Amount, a.Currency = w.payment.Amount, w.payment.Currency
	}
}

// step gives an event to the machine and holds what it does to the truth.
func (w *walker) step(e flow.Event) *finding {
	stage, attempts := w.state.Stage, w.state.Attempts
	asked := w.asked
	w.event = e
	next, commands, err := flow.Step(w.decider, w.state, e)
	if err != nil {
		return nil
	}
	w.events = append(w.events, e)
	w.seen.event(e)
	queries := w.state.Queries
	w.state = next
	w.noteDispute(e)
	if stage == flow.Sending && (next.Stage != flow.Sending || next.Attempts != attempts) && w.under >= 0 {
		_, gone := e.(flow.Resumed)
		if _, answered := e.(flow.Answered); !answered {
			w.calls = append(w.calls, call{attempts, w.under, gone})
		}
		w.under = -1
	}
	if _, answered := e.(flow.Queried); stage == flow.Querying && next.Stage != flow.Querying && !answered {
		w.unread = append(w.unread, lateQuery{queries, asked})
	}
	for _, c := range commands {
		if property, why, rule := w.judge(c); property != "" {
			return &finding{property: property, why: why, rule: rule, payment: w.payment, events: slices.Clone(w.events)}
		}
	}
	return nil
}

// judge carries out a command, and says which property it breaks.
func (w *walker) judge(c flow.Command) (property flow.Property, why, rule string) {
	switch c := c.(type) {
	case flow.Decided:
		w.seen.decided(&c)
		if w.spoken && (c.Fact.Class == policy.Disputed || c.Fact.Class == policy.Mismatch) {
			w.seen.claimed++
		}
		if c.Verdict.Property != "" && !c.Due {
			return S5, "the interlock corrects the rules, for " + string(c.Verdict.Property), c.Decision.Source
		}
	case flow.Send:
		w.world.send(c.Identity)
		w.under = len(w.world.wires) - 1
		switch {
		case w.world.foreign && c.Identity.Sends == 1:
			return flow.S1, "money moved under one of the orders already", ""
		case w.world.most(w.now) > 1:
			return flow.S1, "two requests can both be executed", ""
		case c.Attempt > w.terms.Limits.MaxAttempts:
			return S4, "more sends than max_attempts", ""
		case c.Attempt > 1 && !w.now.Before(w.state.Started.Add(w.terms.Limits.MaxElapsed)):
			return S4, "sent after the flow's time", ""
		}
	case flow.Ask:
		w.asked = question{by: c.By, asked: w.now, id: *c.Identity}
		if c.Query > w.terms.Limits.MaxQueries || c.By == "" {
			return S4, "a query too many", ""
		}
	case flow.Finish:
		switch {
		case c.Outcome == policy.Failed && (w.world.foreign || w.world.most(w.now) > 0):
			return flow.S2, "it ends failed, and money moved or still can", ""
		case c.Outcome == policy.Succeeded && !w.world.paid():
			return flow.S3, "it ends succeeded, and this amount was not executed", ""
		case c.Outcome == policy.Succeeded && w.world.disputed:
			return S6, "it ends succeeded, and it is disputed", ""
		}
	case flow.Record, flow.Wait, flow.Alert:
	default:
		panic(fmt.Sprintf("adversary: %T is no command that it knows", c))
	}
	return "", "", ""
}
