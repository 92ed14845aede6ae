package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
)

// That a flow ends is looked at in the whole graph that a search has reached, and not step by step. Each step that the flow takes by
// itself (an answer to its call, the end of a wait, a process that takes over) either spends one of the sends or queries that are
// counted, or is free. If no free steps lead from a state of the flow back to it, each way round spends something, and the limits bound
// how often: the flow ends, however short its waits are.
//
// The graph is that of the flow's states, without what the provider has said. A circle of nodes is a circle there as well, so
// nothing is lost. Events that the flow has not asked for (webhooks, late answers, people) are not its steps.

// freeStep is a step that spends nothing, and a node where it was taken.
type freeStep struct {
	to   int32 // state of the flow
	node int32
	via  transition
}

// spending is what is known of steps that spend nothing.
type spending struct {
	free   map[int32][]freeStep  // by state of the flow
	varied map[freeKey]*reaction // whose outcomes with limits used up are those of all that are alike
	node   int32                 // index in the search of the node whose successors are listed
	spends bool                  // the last step did
}

func newSpending() spending {
	return spending{free: map[int32][]freeStep{}, varied: map[freeKey]*reaction{}}
}

// freeKey identifies the outcomes of events with limits used up; see reaction.alike.
type freeKey struct{ flow, alike int32 }

// driven reports whether the flow takes a step by itself.
func (k transitionKind) driven() bool {
	switch k {
	case kindAnswer, kindNotSent, kindQueryAnswer, kindDue, kindResume:
		return true
	case kindStart, kindLateAnswer, kindLateQueryAnswer, kindWebhook, kindUnverified, kindWithdraw, kindResolve, kindTime, kindSecondFlow:
	}
	return false
}

// noteFree keeps the outcomes of a step that spend nothing.
func (m *model) noteFree(tr transition, all []outcome) {
	from := m.steps.still
	for i := range all {
		o := &all[i]
		if o.spends || o.marks.has(markFinishes) {
			continue
		}
		known := m.steps.free[from]
		if !slices.ContainsFunc(known, func(f freeStep) bool { return f.to == o.kept }) {
			tr.choice, tr.exhausted = o.choice, o.exhausted
			m.steps.free[from] = append(known, freeStep{o.kept, m.steps.node, tr})
		}
	}
}

// noteReaction notes the outcomes of a reaction once: it is of one state of the flow. Where those with limits used up are an earlier
// reaction's, that one's are meant.
func (m *model) noteReaction(tr transition, r *reaction) {
	if r.noted || !tr.kind.driven() {
		return
	}
	r.noted = true
	m.noteFree(tr, r.outcomes)
	if same := m.steps.varied[freeKey{m.steps.flow, r.alike}]; same != nil {
		m.noteFree(tr, same.varied)
	}
}

// noteSpending notes whether a step used up a part of what limits the flow, which had sent and queried so often before it.
func (m *model) noteSpending(sends, queries int, after *flow.State) {
	m.breaches.forget(sends, queries, after)
	m.steps.spends = after.Attempts > sends || after.Queries > queries
}

// circle returns a step of a circle of free steps; ok is false if there is none.
func (m *model) circle() (step freeStep, ok bool) {
	const (
		open = 1 + iota
		done
	)
	seen := map[int32]int8{}
	type place struct {
		state int32
		next  int // of its free steps
	}
	var roots []int32
	for at := range m.steps.free {
		roots = append(roots, at)
	}
	slices.Sort(roots) // the same report each time
	for _, root := range roots {
		if seen[root] != 0 {
			continue
		}
		way := []place{{state: root}}
		seen[root] = open
		for len(way) > 0 {
			at := &way[len(way)-1]
			steps := m.steps.free[at.state]
			if at.next == len(steps) {
				seen[at.state] = done
				way = way[:len(way)-1]
				continue
			}
			f := steps[at.next]
			at.next++
			switch seen[f.to] {
			case open:
				return f, true
			case done:
			default:
				seen[f.to] = open
				way = append(way, place{state: f.to})
			}
		}
	}
	return freeStep{}, false
}

// findCircle holds the graph that was reached to S4.
func (s *search) findCircle() {
	if f, ok := s.m.circle(); ok {
		s.found = append(s.found, finding{
			property: S4, node: f.node, via: f.via, why: "the flow can come back to where it was without a send or a query that counts, so nothing ends it", bypassed: s.nodes[f.node].bypassed,
		})
	}
}
