package flow

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// maxHastened bounds the queries that unverified webhooks can bring forward: anybody
// can send one, and queries are limited.
const maxHastened = 3

// Step advances a flow by one event. It is pure: the same state and event give the
// same result, and the given state is not changed. The commands are to be carried out
// in order. An event that does not fit the flow's stage is an error, and changes nothing.
func Step(d policy.Decider, s State, e Event) (State, []Command, error) {
	m := newMachine(d, &s, When(e))
	if err := m.step(e); err != nil {
		return s, nil, err
	}
	return m.state(), m.out, nil
}

// MisfitError says that an event does not fit the stage of the flow.
type MisfitError struct {
	Event Event
	Stage Stage
}

// Error names the event and the stage.
func (e *MisfitError) Error() string {
	return fmt.Sprintf("flow: %T does not fit a flow that is %q", e.Event, string(e.Stage))
}

// Advise says what a flow in the given state would do about an answer, without doing
// it. It is the same judgement that Step makes; limits and interlock included.
// The situation is what the rules were shown.
func Advise(d policy.Decider, s State, a policy.Answer, now Moment) (policy.Situation, Decided) {
	m := newMachine(d, &s, now)
	m.own(0)
	fact := absorb(d, m.t, &m.s, hearing{answer: &a, at: now.At, asked: now.At})
	var decided Decided
	m.judge(&decided, &a, fact)
	return m.sit, decided
}

// machine is one step on its way. It is one piece of memory, which serves the state and the
// commands that come out of it as well: a step is to cost as few allocations as it can.
type machine struct {
	d   policy.Decider
	t   *policy.Terms
	s   State
	was []Identity // the ledger before this event
	now Moment
	sit policy.Situation // what the rules were shown
	out []Command

	// What the result points to, where there is one of each, as in most steps.
	list     [4]Command
	ledger   [1]Identity
	evidence [1]Evidence
	fired    [1]policy.Count
	answer   policy.Answer
}

func newMachine(d policy.Decider, s *State, now Moment) *machine {
	m := &machine{d: d, s: *s, now: now}
	m.t = d.Terms(&m.s.Payment)
	m.out = m.list[:0]
	if len(s.Evidence) == 0 {
		m.s.Evidence = m.evidence[:0]
	}
	if len(s.Fired) == 0 {
		m.s.Fired = m.fired[:0]
	}
	m.s.Waits = slices.Clip(m.s.Waits)
	return m
}

// state is what the flow has become.
func (m *machine) state() State {
	if len(m.s.Evidence) == 0 {
		m.s.Evidence = nil
	}
	if len(m.s.Fired) == 0 {
		m.s.Fired = nil
	}
	return m.s
}

// own gives the state a ledger of its own before it is written to, so that what the old one
// says stays as it was. There is room for more identities.
func (m *machine) own(more int) {
	own := m.ledger[:0]
	if n := len(m.s.Ledger) + more; n > len(m.ledger) {
		own = make([]Identity, 0, n)
	}
	m.s.Ledger = append(own, m.s.Ledger...)
}

// hold keeps an answer for the evidence. A long flow does not keep the rest of each step
// with it.
func (m *machine) hold(a policy.Answer, ph policy.Phase) *policy.Answer {
	kept := &m.answer
	if len(m.s.Evidence) > 0 {
		kept = new(policy.Answer)
	}
	*kept = a
	kept.Phase = ph
	return kept
}

func (m *machine) do(c Command) { m.out = append(m.out, c) }

func (m *machine) step(e Event) error {
	m.was = m.s.Ledger
	started := m.s.Stage != New
	if started {
		m.own(adds(e))
	}
	switch e := e.(type) {
	case Start:
		if started || !m.may(&e) {
			return &MisfitError{e, m.s.Stage}
		}
		m.s.Started = m.now.At
		if m.taken(e.Earlier) {
			return nil
		}
		m.s.Ledger = append(append(m.ledger[:0], e.Earlier...), Identity{OrderID: e.OrderID, RequestID: e.RequestID, ProviderID: e.ProviderID})
		m.send(policy.RetryNewRequest)
	case Answered:
		if !m.reply(m.hold(e.Answer, policy.Send), Sending, m.now.At, e.Attempt != 0 && e.Attempt != m.s.Attempts) {
			return &MisfitError{e, m.s.Stage}
		}
	case Queried:
		if !m.reply(m.hold(e.Answer, policy.Query), Querying, m.s.Asked, e.Query != 0 && e.Query != m.s.Queries) {
			return &MisfitError{e, m.s.Stage}
		}
	case Received:
		if !started {
			return &MisfitError{e, m.s.Stage}
		}
		m.received(m.hold(e.Answer, policy.Webhook))
	default:
		return m.turn(e, started)
	}
	return nil
}

// may reports whether a flow's first identity is one of its own.
func (m *machine) may(e *Start) bool {
	for i := range e.Earlier {
		if id := &e.Earlier[i]; id.RequestID == e.RequestID && id.OrderID == e.OrderID {
			return false
		}
	}
	return true
}

// taken ends a flow before it sends anything, if an earlier request of its payment key has
// executed, or may have.
func (m *machine) taken(earlier []Identity) bool {
	before := State{Ledger: earlier}
	free := before.allNotExecuted()
	for i := range earlier {
		free = free && /*guard:earlier-flow-is-not-contested*/ !earlier[i].Contested
	}
	if /*guard:earlier-flow-is-certain*/ free {
		return false
	}
	m.s.Ledger = append(m.s.Ledger, earlier...)
	if /*guard:earlier-flow-is-proved*/ m.s.proved() {
		m.finish(policy.Succeeded, "an earlier request of the payment key has executed")
	} else {
		m.finish(policy.Escalated, "an earlier request of the payment key may have executed")
	}
	return true
}

// adds is how many identities an event may add to the ledger.
func adds(e Event) int {
	if _, due := e.(Due); due {
		return 1
	}
	return 0
}

// turn takes an event that brings no answer.
func (m *machine) turn(e Event, started bool) error {
	switch e := e.(type) {
	case Due:
		if m.s.Stage != Waiting || !m.fresh(e) {
			return &MisfitError{e, m.s.Stage}
		}
		m.due(e)
	case Resumed:
		if !started {
			return &MisfitError{e, m.s.Stage}
		}
		m.resumed()
	case Resolved:
		if !started || e.Identity < 0 || e.Identity >= len(m.s.Ledger) || !e.Effect.Settled() {
			return &MisfitError{e, m.s.Stage}
		}
		m.resolved(e)
	case Withdrawn:
		switch m.s.Stage {
		case Ended:
			return &MisfitError{e, m.s.Stage}
		case New:
			m.s.Withdrawn = cmp.Or(e.Why, withdrawn)
			m.s.Started = m.now.At
			m.finish(policy.Failed, "withdrawn before anything was sent")
		default:
			m.withdrawn(e)
		}
	default:
		return &MisfitError{nil, m.s.Stage} // not e: it would have to be on the heap, always
	}
	return nil
}

// reply takes the answer of a call. One that comes late, when the flow has gone on
// because of a webhook, is evidence like any other.
func (m *machine) reply(a *policy.Answer, stage Stage, asked time.Time, stale bool) (fits bool) {
	if m.s.Stage == stage && /*guard:stale-reply*/ !stale {
		m.answered(a, asked)
		return true
	}
	switch m.s.Stage {
	case New:
		return false
	case Ended:
		m.afterEnd(m.hear(a, asked, true))
	case Waiting:
		m.decide(a, m.hear(a, asked, true))
	case Sending, Querying:
		if fact := m.hear(a, asked, true); fact.Effect == policy.Executed && m.s.proved() {
			m.decide(a, fact) // what is asked is answered
			break
		}
		m.do(Record{})
	}
	return true
}

// hear takes an answer into the ledger. When the provider was asked for a late reply is
// not known, so it proves no absence.
func (m *machine) hear(a *policy.Answer, asked time.Time, late bool) policy.Fact {
	if late {
		asked = /*guard:late-query-proves-no-absence*/ time.Time{}
	}
	return absorb(m.d, m.t, &m.s, hearing{answer: a, at: m.now.At, asked: asked, late: /*guard:late-reply-is-late*/ late})
}

// fresh reports whether a wait's end brings the new identifiers that its action needs.
func (m *machine) fresh(e Due) bool {
	for i := range m.s.Ledger {
		id := &m.s.Ledger[i]
		switch {
		case m.s.Next.Action == policy.RetryNewRequest && (e.RequestID == "" || e.RequestID == id.RequestID):
			return false
		case m.s.Next.Action == policy.RetryNewOrder && e.OrderID == id.OrderID && e.OrderID != "":
			return false
		}
	}
	return true
}

// send puts the last identity on its way.
func (m *machine) send(why policy.Action) {
	id := m.s.current()
	id.Prior = policy.NotExecuted
	/*guard:first-sent-is-kept*/ if id.Sends > 0 {
		/*guard:prior-is-kept*/ id.Prior = id.Effect
	} else {
		id.FirstSent = m.now.At
	}
	id.Sends++
	/*guard:sent-copies-are-counted*/ id.Copies++
	/*guard:last-sent-is-kept*/ id.LastSent = m.now.At
	id.Deadline = /*guard:deadline-is-kept*/ m.now.At.Add(m.t.Contract.CallTimeout())
	if /*guard:send-is-in-doubt-again*/ id.Effect == policy.NotExecuted || id.Sends == 1 {
		id.Effect, id.Fact = policy.Unknown, policy.Fact{Class: policy.Processing}
	}
	m.s.Attempts++
	m.s.Stage, m.s.Next = Sending, Next{}
	/*guard:recorded-before-sent*/ m.do(Record{})
	m.do(Send{Identity: id, Attempt: m.s.Attempts, Action: why, Deadline: id.Deadline})
}

func (m *machine) query() {
	id := m.s.current()
	m.s.Queries++
	m.s.Stage, m.s.Next, m.s.Asked = Querying, Next{}, m.now.At
	m.s.AskedBy = m.t.Contract.QueryIdentifier(id.ProviderID != "")
	m.do(Record{})
	m.do(Ask{
		By: m.s.AskedBy, Identity: id,
		Query: m.s.Queries, Deadline: m.now.At.Add(m.t.Contract.CallTimeout()),
	})
}

// answered takes the answer of a call and decides.
func (m *machine) answered(a *policy.Answer, asked time.Time) {
	fact := m.hear(a, asked, false)
	if next := m.s.Displaced; next != nil && a.Phase == policy.Query {
		m.s.Displaced = nil
		if /*guard:displaced-is-checked*/ m.nothingNew() {
			m.wait(next.Action, next.Via, next.At) // the hint was empty
			return
		}
	}
	m.decide(a, fact)
}

// received takes a webhook.
func (m *machine) received(a *policy.Answer) {
	if /*guard:unverified-is-a-hint*/ !a.Verified { // anybody can have sent it: it is no evidence, and at most a hint
		if i, _ := m.s.about(a); i >= 0 && m.s.Stage != Ended {
			m.hasten()
			return
		}
		m.do(Record{})
		return
	}
	if m.s.Stage == Ended {
		m.afterEnd(m.hear(a, m.now.At, false))
		return
	}
	fact := m.hear(a, m.now.At, false)
	i := m.s.Evidence[len(m.s.Evidence)-1].Identity
	switch {
	case i < 0:
		m.do(Record{})
	case m.s.Stage == Waiting && /*guard:repeated-webhook-decides-nothing*/ (m.was[i].Effect == m.s.Ledger[i].Effect && m.was[i].Fact.Class == m.s.Ledger[i].Fact.Class):
		m.wait(m.s.Next.Action, m.s.Next.Via, m.s.Next.At) // told again; what was decided stands
	case m.s.Stage == Waiting || fact.Effect == policy.Executed:
		m.decide(a, fact)
	default:
		// A call is on its way; its answer decides, and finds this fact in the ledger.
		m.do(Record{})
	}
}

// nothingNew reports whether this event left every identity's effect as it was.
func (m *machine) nothingNew() bool {
	for i := range m.was {
		if m.was[i].Effect != m.s.Ledger[i].Effect {
			return false
		}
	}
	return true
}

// hasten brings a query forward because somebody, unverified, says that something
// happened. Before a send it looks first.
func (m *machine) hasten() {
	if m.s.Stage != Waiting || m.s.Hastened >= maxHastened || !m.s.queriesLeft(m.t) || !m.s.canQuery(&m.t.Contract) {
		m.do(Record{})
		return
	}
	m.s.Hastened++
	if next := m.s.Next; next.Action != policy.QueryStatus {
		m.s.Displaced = &next
	}
	m.wait(policy.QueryStatus, ByQuery, m.now.At)
}

// resumed goes on after a crash.
func (m *machine) resumed() {
	lost := policy.Answer{Phase: policy.Send, Fault: policy.Timeout}
	switch m.s.Stage {
	case Sending:
		/*guard:crash-is-in-doubt*/ m.answered(&lost, m.now.At)
	case Querying:
		lost.Phase = policy.Query
		m.answered(&lost, m.s.Asked)
	case Waiting:
		m.wait(m.s.Next.Action, m.s.Next.Via, m.s.Next.At)
	case New, Ended:
	}
}

// withdrawn sends nothing more. A send that was waited for gives way to its end, or to
// finding out.
func (m *machine) withdrawn(e Withdrawn) {
	m.s.Withdrawn = cmp.Or(e.Why, withdrawn)
	if next := m.s.Displaced; next != nil && next.Action.Sends() {
		m.s.Displaced = nil
	}
	next := m.s.Next
	if m.s.Stage != Waiting || !next.Action.Sends() {
		m.do(Record{})
		return
	}
	wanted := policy.Decision{Action: next.Action, Reason: m.s.Reason}
	v := Verdict{Action: m.s.exhausted(), Limit: withdrawn}
	/*guard:withdrawn-in-doubt*/ if m.s.InDoubt() {
		v.Action, v.Via = fallback(&m.s, m.t, m.now.At)
	}
	m.do(Decided{At: m.now.At, Due: true, Answer: &policy.Answer{}, Fact: m.s.current().Fact, InDoubt: m.s.InDoubt(), Decision: wanted, Verdict: v})
	m.s.Reason = endReason(&wanted, &v)
	switch {
	case v.Action != policy.QueryStatus:
		m.s.NewOrderPossible = v.Action == policy.MarkFailed && next.Action == policy.RetryNewOrder
		m.end(v.Action, m.s.Reason)
	case v.Via == ByWebhook:
		m.wait(v.Action, v.Via, m.s.limit(m.t))
	default:
		m.wait(v.Action, v.Via, m.now.At)
	}
}

// resolved takes the word of somebody who knows.
func (m *machine) resolved(e Resolved) {
	id := &m.s.Ledger[e.Identity]
	fact := policy.Fact{Effect: e.Effect, Class: policy.AlreadyDone, Stage: policy.Result, Basis: policy.Documented}
	m.s.note(Evidence{At: m.now.At, Phase: policy.Webhook, Identity: e.Identity, Fact: fact,
		Answer: &policy.Answer{Phase: policy.Webhook, Verified: true, Message: e.Who + ": " + e.Why}})
	if /*guard:person-and-send-under-way*/ m.s.Stage == Sending && id == m.s.current() && e.Effect == policy.NotExecuted {
		// It speaks of earlier copies: one is on its way, and its answer decides. The word is
		// kept among the evidence.
		m.do(Record{})
		return
	}
	id.Effect, id.Fact, id.Contested, id.Mismatch = e.Effect, fact, false, false
	why := fmt.Sprintf("resolved by %s: %s", e.Who, e.Why)
	open := m.s.Stage != Ended || m.s.Outcome == policy.Escalated
	switch {
	case !open:
		m.contradiction(why, true)
	case /*guard:person-proves-one-execution*/ m.s.proved():
		m.finish(policy.Succeeded, why)
	case /*guard:person-settles-one-identity*/ m.s.allNotExecuted():
		m.finish(policy.Failed, why)
	default:
		m.do(Record{})
	}
}

// afterEnd takes what is said after the end: proof settles an escalation; what
// contradicts another end is told, and changes nothing.
func (m *machine) afterEnd(fact policy.Fact) {
	before := State{Ledger: m.was}
	switch {
	case m.s.Outcome != policy.Escalated:
		m.contradiction(fact.Class.String(), false)
	case /*guard:escalation-is-settled-by-proof*/ m.s.proved() && !before.proved() && fact.Class != policy.Disputed:
		m.s.Class = fact.Class
		m.finish(policy.Succeeded, "proved after it was escalated")
	case fact.Effect == policy.NotExecuted && /*guard:escalation-fails-when-certain*/ m.s.allNotExecuted():
		m.s.Class = fact.Class
		m.finish(policy.Failed, "proved not executed after it was escalated")
	default:
		m.do(Record{})
	}
}

// contradiction tells what the ledger, or a dispute, says against the end. What only
// repeats what is known is not told again, unless somebody vouches for it.
func (m *machine) contradiction(what string, vouched bool) {
	last := m.s.Evidence[len(m.s.Evidence)-1]
	m.do(Record{})
	if last.Identity < 0 || last.Phase == policy.Webhook && !last.Answer.Verified {
		return
	}
	disputed := last.Fact.Class == policy.Disputed
	was, is := m.was[last.Identity], m.s.Ledger[last.Identity]
	changed := vouched || was.Effect != is.Effect || was.Contested != is.Contested || was.Mismatch != is.Mismatch
	switch {
	case m.s.Outcome == policy.Failed && (disputed || changed && is.Effect != policy.NotExecuted):
		m.do(Alert{Reason: "marked failed, and then: " + what, Evidence: last})
	case m.s.Outcome == policy.Succeeded && (disputed || changed && !m.s.proved()):
		m.do(Alert{Reason: "marked succeeded, and then: " + what, Evidence: last})
	}
}
