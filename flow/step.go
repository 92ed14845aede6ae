package flow

import (
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// Step advances a flow by one event. It is pure: the same state and event give the
// same result, and the given state is not changed. The commands are to be carried out
// in order. An event that does not fit the flow's stage is an error, and changes nothing.
func Step(d policy.Decider, s State, e Event) (State, []Command, error) {
	m := newMachine(d, &s, When(e))
	if err := m.step(e); err != nil {
		return s, nil, err
	}
	return m.s, m.out, nil
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
	m.copyLedger(0)
	fact := addAnswer(d, m.t, &m.s, incoming{answer: &a, at: now.At, asked: now.At})
	var decided Decided
	m.judge(&decided, &a, fact)
	return m.sit, decided
}

// machine is one step under way.
type machine struct {
	d   policy.Decider
	t   *policy.Terms
	s   State
	was []Identity // the ledger before this event
	now Moment
	sit policy.Situation // what the rules were shown
	out []Command
}

func newMachine(d policy.Decider, s *State, now Moment) *machine {
	m := &machine{d: d, s: *s, now: now, out: make([]Command, 0, 3)}
	m.t = d.Terms(&m.s.Payment)
	// The caller keeps the old state: what is appended must not land behind its slices.
	m.s.Evidence, m.s.Fired, m.s.Waits = slices.Clip(s.Evidence), slices.Clip(s.Fired), slices.Clip(s.Waits)
	return m
}

// copyLedger gives the state its own ledger before anything is written to it: the caller keeps
// the old state, which must not change. more is how many identities may be added.
func (m *machine) copyLedger(more int) {
	own := make([]Identity, len(m.s.Ledger), len(m.s.Ledger)+more)
	copy(own, m.s.Ledger)
	m.s.Ledger = own
}

// keepAnswer copies an answer for the evidence and the trace.
func (m *machine) keepAnswer(a policy.Answer, ph policy.Phase) *policy.Answer {
	a.Phase = ph
	return &a
}

func (m *machine) do(c Command) { m.out = append(m.out, c) }

func (m *machine) step(e Event) error {
	m.was = m.s.Ledger
	started := m.s.Stage != New
	if started {
		m.copyLedger(newIdentities(e))
	}
	switch e := e.(type) {
	case Start:
		if started || !m.isNewIdentity(&e) {
			return &MisfitError{e, m.s.Stage}
		}
		m.s.Started = m.now.At
		if m.endedByEarlier(e.Earlier) {
			return nil
		}
		m.s.Ledger = append(slices.Clip(e.Earlier), Identity{OrderID: e.OrderID, RequestID: e.RequestID, ProviderID: e.ProviderID})
		m.send(policy.RetryNewRequest)
	case Answered:
		if !m.reply(m.keepAnswer(e.Answer, policy.Send), Sending, m.now.At, e.Attempt != 0 && e.Attempt != m.s.Attempts) {
			return &MisfitError{e, m.s.Stage}
		}
	case Queried:
		if !m.reply(m.keepAnswer(e.Answer, policy.Query), Querying, m.s.Asked, e.Query != 0 && e.Query != m.s.Queries) {
			return &MisfitError{e, m.s.Stage}
		}
	case Received:
		if !started {
			return &MisfitError{e, m.s.Stage}
		}
		m.received(m.keepAnswer(e.Answer, policy.Webhook))
	default:
		return m.stepWithoutAnswer(e, started)
	}
	return nil
}

// isNewIdentity reports whether the first identity of a flow was not used by an earlier flow of
// the same payment key. An answer about the one could be taken for the other.
func (m *machine) isNewIdentity(e *Start) bool {
	for i := range e.Earlier {
		if id := &e.Earlier[i]; id.RequestID == e.RequestID && id.OrderID == e.OrderID {
			return false
		}
	}
	return true
}

// endedByEarlier ends a flow before it sends anything, if an earlier request of its payment key
// has executed or may have. To send would risk a second execution of one purchase.
func (m *machine) endedByEarlier(earlier []Identity) bool {
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

// newIdentities returns how many identities an event may add to the ledger.
func newIdentities(e Event) int {
	if _, due := e.(Due); due {
		return 1
	}
	return 0
}
