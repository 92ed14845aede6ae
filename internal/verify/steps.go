package verify

import (
	"slices"
	"strconv"
	"time"

	"github.com/recourse-pay/recourse/flow"
)

// reactions are those of one state of the flow, with its ages, by event. There are some fifty of them, looked up all the time, so they
// lie side by side: a table with open places, at most half full.
type reactions struct {
	events []uint32
	at     []*reaction // nil: the place is free
	used   int
}

// place returns the place of an event, or the one where it would stand.
func (r *reactions) place(event uint32) int {
	mask := uint32(len(r.at) - 1)
	i := event * 0x9E3779B1 >> 8 & mask
	for r.at[i] != nil && r.events[i] != event {
		i = (i + 1) & mask
	}
	return int(i)
}

// add adds the reaction to an event that has none.
func (r *reactions) add(event uint32, one *reaction) {
	if 2*r.used >= len(r.at) {
		old := *r
		n := 2 * len(r.at)
		r.events, r.at = make([]uint32, n), make([]*reaction, n)
		for i, known := range old.at {
			if known != nil {
				to := r.place(old.events[i])
				r.events[to], r.at[to] = old.events[i], known
			}
		}
	}
	i := r.place(event)
	r.events[i], r.at[i] = event, one
	r.used++
}

// step takes the step of a transition. What it returns holds until the next step.
func (m *model) step(tr transition) (*flow.State, []flow.Command, error) {
	st := &m.steps
	m.prepare(tr)
	sends, queries := st.after.Attempts, st.after.Queries
	commands, err := st.adviser.AdvanceByPointers(m.decider, &st.after, m.event)
	m.recall(&st.after, tr)
	m.noteSpending(sends, queries, &st.after)
	return &st.after, commands, err
}

// stepApart takes the step of a transition in memory of its own.
func (m *model) stepApart(tr transition) []flow.Command {
	m.prepare(tr)
	_, commands, _ := flow.Step(m.decider, m.steps.after, m.event)
	return commands
}

// prepare sets the state before a step, in the place of the one after it, and the event.
func (m *model) prepare(tr transition) {
	before := &m.steps.after
	*before = m.steps.from.s
	before.Evidence = nil
	if tr.kind == kindSecondFlow {
		*before = flow.State{Payment: m.payment}
	}
	if tr.kind == kindResolve && tr.variant&endsDispute != 0 {
		endDispute(before)
	}
	m.suppose(before, tr)
	m.exhausted = tr.exhausted
	m.showCounts(tr)
	m.spendLimits(before, tr)
	m.event = m.eventOf(tr)
	if m.decider.askings != nil {
		m.decider.standing = standingOf(&m.steps.from.s, m.event)
	}
	m.decider.choice, m.decider.options, m.decider.asked, m.decider.chosen, m.decider.kind = int(tr.choice), 1, m.askedBy(tr), nil, -1
}

// stateOf numbers the states of the flow, without their times, and without what no later step depends on.
func (m *model) stateOf(s *flow.State) int32 {
	b := append(m.steps.buf[:0], s.Stage...)
	b = append(b, 0, byte(s.Attempts), byte(s.Outcome), byte(s.Next.Action))
	b = strconv.AppendInt(b, int64(s.Queries), 10)
	b = append(append(b, s.Next.Via...), 0)
	b = append(append(b, s.AskedBy...), 0)
	if s.Withdrawn != "" {
		b = append(b, 'w')
	}
	if s.Displaced != nil {
		b = append(append(b, 'd', byte(s.Displaced.Action)), s.Displaced.Via...)
	}
	for _, f := range s.Fired {
		b = append(append(append(b, '|'), f.Name...), byte(f.N))
	}
	for i := range s.Ledger {
		id := &s.Ledger[i]
		b = append(append(append(append(b, '/'), id.OrderID...), 0), id.RequestID...)
		b = append(append(append(b, 0), id.ProviderID...), 0)
		fact := keptFact(id)
		bits := byte(0)
		for k, on := range []bool{id.Mismatch, id.Contested, id.Reopened, id.Disputed} {
			if on {
				bits |= 1 << k
			}
		}
		b = append(b, bits, byte(id.Sends), byte(id.Copies), byte(id.Effect), byte(id.Prior), byte(fact.Class), byte(fact.Reach))
	}
	m.steps.buf = b
	if at, known := m.steps.stateAt[string(b)]; known {
		return at
	}
	at := int32(len(m.steps.states))
	m.steps.stateAt[string(b)] = at
	m.steps.states, m.steps.kept = append(m.steps.states, nil), append(m.steps.kept, -1)
	return at
}

// ownState returns a state of the flow as it is kept for the whole search: without times, and in memory of its own.
func (m *model) ownState(s *flow.State) *flow.State { return m.ownStateAt(m.stateOf(s), s) }

// ownStateAt is ownState of the state with a number.
func (m *model) ownStateAt(at int32, s *flow.State) *flow.State {
	if known := m.steps.states[at]; known != nil {
		return known
	}
	kept := *s
	kept.Started, kept.Asked, kept.Next.At = time.Time{}, time.Time{}, time.Time{} // see setTimes
	kept.Evidence, kept.Waits, kept.Reason, kept.Class, kept.Hastened, kept.NewOrderPossible = nil, nil, "", 0, 0, false
	kept.Ledger, kept.Fired = slices.Clone(s.Ledger), slices.Clone(s.Fired)
	if s.Displaced != nil {
		next := *s.Displaced
		next.At = time.Time{}
		kept.Displaced = &next
	}
	for i := range kept.Ledger {
		id := &kept.Ledger[i]
		id.FirstSent, id.LastSent, id.Deadline, id.Fact = time.Time{}, time.Time{}, time.Time{}, keptFact(id)
	}
	m.steps.states[at] = &kept
	return &kept
}
