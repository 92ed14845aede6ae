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
	return m.state(), m.out, nil
}

// MisfitError says that an event does not fit the stage of the flow.
type MisfitError struct {
	Event string // the event's type, such as "Answered"
	Stage Stage
}

// Error names the event and the stage.
func (e *MisfitError) Error() string {
	return fmt.Sprintf("flow: the event %s does not fit a flow that is %q", e.Event, string(e.Stage))
}

// Adviser says what flows would do. Its memory is used again: what it returned holds until it is asked the next time. It is for
// one goroutine; the zero value is ready.
type Adviser struct {
	m       machine
	ledger  []Identity
	answer  policy.Answer
	decided Decided

	kept  kept        // of m
	turns *[2]inPlace // of Advance, by turns: each step reads what the one before left
	turn  int
	of    *State // the state whose memory is in turns
}

// Step is the function [Step] with less new memory: only what it returns is new, and may be kept.
func (x *Adviser) Step(d policy.Decider, s *State, e Event) (State, []Command, error) {
	m := &x.m
	m.begin(d, s, When(e), new(kept))
	err := m.step(e)
	next, out := m.state(), m.out
	*m = machine{} // it keeps no flow alive
	if err != nil {
		return *s, nil, err
	}
	return next, out, nil
}

// Advance is [Step] in memory that is used again: s becomes the next state. What s points to, and the commands, hold until the next
// step of the same s; to keep them, copy what they point to. Evidence is for people: only that of the step itself is there. An event
// that does not fit is an error, and changes nothing.
func (x *Adviser) Advance(d policy.Decider, s *State, e Event) ([]Command, error) {
	return x.advance(d, s, e, false)
}

// AdvanceByPointers is [Adviser.Advance], but for the commands: those that most steps give are pointers, *Send in place of Send, into
// memory that is used again.
func (x *Adviser) AdvanceByPointers(d policy.Decider, s *State, e Event) ([]Command, error) {
	return x.advance(d, s, e, true)
}

func (x *Adviser) advance(d policy.Decider, s *State, e Event, pointers bool) ([]Command, error) {
	if x.of != s { // another flow's state may still need the memory
		x.turns, x.of = new([2]inPlace), s
	}
	turn := &x.turns[x.turn]
	m := &turn.machine
	spare := m.spare
	m.begin(d, s, When(e), &turn.kept)
	m.spare, m.room, m.pointers = spare, &turn.room, pointers
	m.s.Evidence = m.evidence[:0]
	// What lies in the memory of the step before is moved: the next step uses that.
	if pointers {
		m.s.Fired, m.s.Waits = within(&m.room.fired, s.Fired), within(&m.room.waits, s.Waits)
	} else if len(s.Fired) == 1 {
		m.fired[0] = s.Fired[0]
		m.s.Fired = m.fired[:]
	}
	if err := m.step(e); err != nil {
		return nil, err
	}
	if s.Stage != New && cap(m.s.Ledger) > max(cap(m.spare), len(m.ledger)) { // the step's own, by copyLedger
		m.spare = m.s.Ledger[:0]
	}
	x.turn = 1 - x.turn
	*s = m.state()
	return m.out, nil
}

// Advise says what a flow in the given state would do about an answer, without doing
// it. It is the same judgement that Step makes; limits and interlock included.
// The situation is what the rules were shown.
func (x *Adviser) Advise(d policy.Decider, s *State, a *policy.Answer, now Moment) (*policy.Situation, *Decided) {
	m := &x.m
	x.kept = kept{}
	m.begin(d, s, now, &x.kept)
	m.s.Ledger = append(x.ledger[:0], s.Ledger...) // the caller's must not change
	x.ledger = m.s.Ledger
	x.answer, x.decided = *a, Decided{}
	blankPlaceholders(&x.answer)
	fact := addAnswer(d, m.t, &m.s, incoming{answer: &x.answer, at: now.At, asked: now.At})
	m.judge(&x.decided, &x.answer, fact)
	return &m.sit, &x.decided
}

// machine is one step under way. Only what is kept outlives it.
type machine struct {
	d   policy.Decider
	t   *policy.Terms
	s   State
	was []Identity // the ledger before this event
	now Moment
	sit policy.Situation // what the rules were shown
	out []Command
	*kept
	spare    []Identity // room for more identities than ledger has; of Advance alone
	room     *room      // of Advance alone; else it is noRoom
	pointers bool       // the commands are left in room
}

// noRoom has places that nothing is left in.
var noRoom room

// kept is what the next state and the commands point to. The first identity, evidence and count, and the list of commands,
// live in the same piece of memory: most payments end with their first answer, and then there is
// one of each. Who keeps many states for long clones what they point to (package verify).
type kept struct {
	list     [3]Command
	ledger   [1]Identity
	evidence [1]Evidence
	fired    [1]policy.Count
	answer   policy.Answer
}

// advance is a step with all of its memory.
type advance struct {
	machine
	kept kept
}

// inPlace is a step of Advance. Its room is what it leaves its commands and counts in.
type inPlace struct {
	advance
	room room
}

// room is memory that is used again.
type room struct {
	decided      Decided
	send         Send
	ask          Ask
	wait         Wait
	finish       Finish
	fired, waits [4]policy.Count
}

func newMachine(d policy.Decider, s *State, now Moment) *machine {
	m := new(advance)
	m.begin(d, s, now, &m.kept)
	return &m.machine
}

// begin makes it a step of a flow in the state s, whatever it was before. What is kept is empty.
func (m *machine) begin(d policy.Decider, s *State, now Moment, k *kept) {
	m.d, m.s, m.was, m.now, m.kept = d, *s, nil, now, k // each by itself: a machine is large, and most of it is written anyway
	m.sit, m.spare, m.room, m.pointers = policy.Situation{}, nil, &noRoom, false
	m.t = d.Terms(&m.s.Payment)
	m.out = m.list[:0]
	// The caller keeps the old state: what is appended must not land behind its slices.
	m.s.Evidence, m.s.Fired, m.s.Waits = slices.Clip(s.Evidence), slices.Clip(s.Fired), slices.Clip(s.Waits)
	if len(s.Evidence) == 0 {
		m.s.Evidence = m.evidence[:0]
	}
}

// state returns the state after the step. An empty list becomes nil again, so that equal states
// compare equal.
func (m *machine) state() State {
	if len(m.s.Evidence) == 0 {
		m.s.Evidence = nil
	}
	return m.s
}

// within moves counts into a place, if they fit.
func within(place *[4]policy.Count, c policy.Counts) policy.Counts {
	if len(c) > len(place) {
		return slices.Clip(c)
	}
	return append(place[:0], c...)
}

// plus counts in place where there is one, and else in a copy.
func (m *machine) plus(c policy.Counts, name string) policy.Counts {
	if !m.pointers || len(c) >= len(m.room.fired) {
		return c.Plus(name)
	}
	for i := range c {
		if c[i].Name == name {
			c[i].N++
			return c
		}
	}
	return append(c, policy.Count{Name: name, N: 1})
}

// fire counts a rule that was followed.
func (m *machine) fire(rule string) {
	if len(m.s.Fired) > 0 || m.pointers {
		m.s.Fired = m.plus(m.s.Fired, rule)
		return
	}
	m.fired[0] = policy.Count{Name: rule, N: 1}
	m.s.Fired = m.fired[:]
}

// copyLedger gives the state its own ledger before anything is written to it: the caller keeps
// the old state, which must not change. more is how many identities may be added.
func (m *machine) copyLedger(more int) {
	own := m.ledger[:0]
	switch n := len(m.s.Ledger) + more; {
	case n <= len(m.ledger):
	case n <= cap(m.spare):
		own = m.spare[:0]
	default:
		own = make([]Identity, 0, n)
	}
	m.s.Ledger = append(own, m.s.Ledger...)
}

// keepAnswer copies an answer for the evidence and the trace. Only the first one lives in the
// machine's own memory: a later one would keep the memory of its step as long as the flow.
func (m *machine) keepAnswer(a *policy.Answer, ph policy.Phase) *policy.Answer {
	kept := &m.answer
	if len(m.s.Evidence) > 0 {
		kept = new(policy.Answer)
	}
	*kept = *a
	kept.Phase = ph
	/*guard:zero-is-no-id*/ blankPlaceholders(kept)
	return kept
}

func (m *machine) do(c Command) { m.out = append(m.out, c) }

// give is do for the commands of most steps: where pointers are wanted, the command is left in its place in the room.
func give[C Command, P interface {
	*C
	Command
}](m *machine, place P, c C) {
	if !m.pointers {
		m.do(c)
		return
	}
	*place = c
	m.do(place)
}

func (m *machine) step(e Event) error {
	m.was = m.s.Ledger
	started := m.s.Stage != New
	if started {
		m.copyLedger(newIdentities(e))
	}
	switch e := e.(type) {
	case Start:
		if started || !m.isNewIdentity(&e) {
			return m.misfit(e)
		}
		m.s.Started, m.s.NotAfter, m.s.Target = m.now.At, e.NotAfter, e.ProviderID
		if !e.Accepted.IsZero() && e.Accepted.Before(m.now.At) {
			m.s.Started = e.Accepted
		}
		if m.endedByEarlier(e.Earlier) {
			return nil
		}
		if limit := m.s.sendsLate(m.t, m.now); /*guard:first-send-knows-the-time*/ limit != "" {
			m.s.Ledger = slices.Clone(e.Earlier)
			m.finish(policy.Failed, limit+" spent: nothing was sent")
			return nil
		}
		m.s.Ledger = append(append(m.ledger[:0], e.Earlier...), Identity{OrderID: e.OrderID, RequestID: e.RequestID, ProviderID: e.ProviderID})
		m.send(policy.RetryNewRequest)
	case Answered:
		if !m.reply(m.keepAnswer(&e.Answer, policy.Send), Sending, m.now.At, e.Attempt != 0 && e.Attempt != m.s.Attempts) {
			return m.misfit(e)
		}
	case Queried:
		if !m.reply(m.keepAnswer(&e.Answer, policy.Query), Querying, m.s.Asked, e.Query != 0 && e.Query != m.s.Queries) {
			return m.misfit(e)
		}
	case Received:
		if !started {
			return m.misfit(e)
		}
		m.received(m.keepAnswer(&e.Answer, policy.Webhook))
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
	m.s.Ledger = slices.Clone(earlier)
	switch {
	case /*guard:earlier-flow-is-disputed*/ m.s.proved() && m.s.disputed():
		m.finish(policy.Escalated, "an earlier request of the payment key has executed, and is disputed")
	case /*guard:earlier-flow-is-proved*/ m.s.proved():
		m.finish(policy.Succeeded, "an earlier request of the payment key has executed")
	default:
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

// misfit is the error for an event that does not fit. It names the event by its type and does not
// keep it: what an error may keep is on the heap in every step, errors or not.
func (m *machine) misfit(e Event) error {
	name := "nil"
	switch e.(type) {
	case Start:
		name = "Start"
	case Answered:
		name = "Answered"
	case Queried:
		name = "Queried"
	case Received:
		name = "Received"
	case Due:
		name = "Due"
	case Resumed:
		name = "Resumed"
	case Resolved:
		name = "Resolved"
	case Withdrawn:
		name = "Withdrawn"
	}
	return &MisfitError{Event: name, Stage: m.s.Stage}
}
