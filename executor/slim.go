package executor

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Most flows end with their first answer, in a moment. What they need is allocated in few large pieces. A
// flow that waits may do so for days, beside a hundred thousand others: when it is parked it gives those
// pieces up, and keeps copies of what it still needs.

// firsts are what most flows need once.
type firsts struct {
	call    call
	result  Result
	entries [4]Entry
}

// quick is a flow and its firsts in one piece.
type quick struct {
	run    run
	firsts firsts
}

// newRun makes a flow. One that is quick can't give its firsts up: it has no journal, and its caller waits
// for it.
func (x *Executor) newRun(q Request, isQuick bool) *run {
	var r *run
	if isQuick {
		both := new(quick)
		r, both.run.firsts = &both.run, &both.firsts
	} else {
		r = new(run)
		r.firsts = new(firsts)
	}
	r.x, r.req, r.rules, r.observers = x, q, careful{x: x, of: r}, x.newObservers()
	r.trace.entries = r.firsts.entries[:0]
	return r
}

// A flow that waits keeps a shorter trace when very many do, and so does one that people do not take.
const (
	crowd       = 10_000 // flows in memory
	crowdOwed   = 100    // of a flow that has ended, and whose notice is owed: after a day its trace is long
	crowdedHead = 1
	crowdedTail = 3
)

// slim lets go of the memory that a flow does not need which waits, or whose notice is owed. What results and snapshots share is
// copied and never written to. The lock is held.
func (r *run) slim(crowded bool) {
	r.firsts = nil
	s := &r.state
	s.Ledger, s.Evidence, s.Fired, s.Waits = slices.Clone(s.Ledger), slices.Clone(s.Evidence), slices.Clone(s.Fired), slices.Clone(s.Waits)
	var kept answers
	for i := range s.Evidence {
		s.Evidence[i].Answer = kept.copyOf(s.Evidence[i].Answer)
	}
	if r.calls.last != nil {
		r.calls.last = kept.copyOf(r.calls.last)
	}
	r.trace.slim(&kept, crowded)
}

// slim copies the entries, and what they point to: an identity is a part of the memory of its step.
func (t *trace) slim(kept *answers, crowded bool) {
	old := t.entries
	if crowded && len(old) > crowdedHead+crowdedTail {
		old = slices.Concat(old[:crowdedHead], old[len(old)-crowdedTail:])
	}
	t.entries = make([]Entry, len(old))
	var last *flow.Identity
	for i, e := range old {
		switch c := e.Command.(type) {
		case flow.Send:
			last = copyOfIdentity(c.Identity, last)
			c.Identity = last
			e.Command = c
		case flow.Ask:
			last = copyOfIdentity(c.Identity, last)
			c.Identity = last
			e.Command = c
		case flow.Decided:
			c.Answer = kept.copyOf(c.Answer)
			e.Command = c
		case flow.Alert:
			c.Evidence.Answer = kept.copyOf(c.Evidence.Answer)
			e.Command = c
		}
		t.entries[i] = e
	}
}

// copyOfIdentity is a copy, or the last one if nothing has changed since: most queries are about what the one before was about.
func copyOfIdentity(id, last *flow.Identity) *flow.Identity {
	if last != nil && *last == *id {
		return last
	}
	kept := *id
	return &kept
}

// answers are copies of answers, each different one once: a provider that is asked again mostly says the same.
type answers []*policy.Answer

func (all *answers) copyOf(a *policy.Answer) *policy.Answer {
	if a == nil {
		return nil
	}
	for _, kept := range *all {
		if *kept == *a {
			return kept
		}
	}
	kept := *a
	*all = append(*all, &kept)
	return &kept
}
