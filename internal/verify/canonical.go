package verify

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// canonicalize brings a node into its canonical form: whatever no later transition depends on
// gets a fixed value. Nodes that behave alike then have the same key, and are visited once.
func (m *model) canonicalize(n *node) {
	s := &n.s
	m.canonicalizeState(s)
	if m.coarse {
		n.started = 0
		if m.onlyAnswersFollow(n) && !m.steps.recalls {
			n.forgetOthers()
		}
		m.capRequests(n)
	}
	n.clearStage()
	for i := range n.ids {
		first, last := n.roles(i)
		n.ids[i].first = m.clock.round(n.ids[i].first, first)
		n.ids[i].last = m.clock.round(n.ids[i].last, last)
	}
	for i := range s.Ledger {
		m.canonicalizeIdentity(n, i)
	}
	if m.coarse {
		m.canonicalizeClaims(n)
		n.firstOwn, n.flow, s.Attempts = 0, 1, min(len(s.Ledger), 2)
		if len(s.Ledger) == 1 && s.Ledger[0].Sends > 1 {
			s.Attempts = 2
		}
		m.mergePast(n)
	}
	if s.Stage == flow.Ended {
		s.Attempts, n.started, n.tally = min(s.Attempts, 2), 0, tally{} // no rule is asked any more
		n.lateFault = false                                             // no rule is asked about what tells nothing
		if s.Outcome == policy.Failed {
			s.Attempts = 0
		}
	}
}

// keptState returns the number of a state of the flow in the form that canonicalize gives it anyway. Outcomes that differ in nothing
// else lead from one node to one node, so one of them is followed.
func (m *model) keptState(at int32, is *flow.State) int32 {
	if known := m.steps.kept[at]; known >= 0 {
		return known
	}
	s := *is
	m.steps.ledger = append(m.steps.ledger[:0], s.Ledger...)
	s.Ledger = m.steps.ledger
	m.canonicalizeState(&s)
	to := m.stateOf(&s)
	m.ownStateAt(to, &s)
	m.steps.kept[at], m.steps.kept[to] = to, to
	return to
}

// canonicalizeState is the part of canonicalize that looks at the flow's state alone.
func (m *model) canonicalizeState(s *flow.State) {
	s.Evidence, s.Waits, s.Reason, s.Class, s.Hastened = nil, nil, "", 0, 0
	s.NewOrderPossible = false
	m.capCounts(s)
	if s.Stage == flow.Waiting && s.Next.Action != policy.QueryStatus {
		s.Next.Via = ""
	}
	if s.Stage != flow.Querying {
		s.AskedBy = ""
	}
	if s.Stage == flow.Ended {
		s.Fired, s.Next, s.Displaced, s.Withdrawn, s.Queries = nil, flow.Next{}, nil, "", 0
	}
	for i := range s.Ledger {
		id := &s.Ledger[i]
		if m.coarse {
			id.Sends, id.Copies = min(id.Sends, 2), min(id.Copies, 2)
		}
		if id.Sends == 1 || s.Stage == flow.Ended && s.Outcome != policy.Escalated {
			id.Prior = policy.NotExecuted
		}
		if id.Prior != policy.NotExecuted {
			id.Prior = policy.Unknown // the flow reads only whether it was certain
		}
		if i == len(s.Ledger)-1 || id.Effect.Settled() || id.Contested {
			id.Reopened = false // the flow does not read it here, or sets it before it does
		}
	}
}

// capCounts bounds each count by the greatest value that a rule compares it with. Greater ones
// behave alike. The coarse model follows no counts.
func (m *model) capCounts(s *flow.State) {
	if len(s.Fired) > 0 {
		var kept policy.Counts
		for _, c := range s.Fired {
			if most, counted := m.maxFired[c.Name]; counted && most > 0 {
				kept = append(kept, policy.Count{Name: c.Name, N: min(c.N, most)})
			}
		}
		slices.SortFunc(kept, func(a, b policy.Count) int { return strings.Compare(a.Name, b.Name) })
		s.Fired = kept
	}
	switch {
	case m.coarse:
		s.Queries, s.Withdrawn, s.Attempts = 0, "", 0 // the sends are counted again by canonicalize
	case s.Queries < m.terms.Limits.MaxQueries:
		s.Queries = min(s.Queries, m.capped)
	}
}

// clearStage resets what only another stage reads.
func (n *node) clearStage() {
	s := &n.s
	if s.Stage != flow.Sending {
		for k := range n.requests {
			n.requests[k].current = false
		}
	}
	if s.Stage != flow.Querying {
		for i := range n.ids {
			n.ids[i].asked, n.ids[i].askedFirst = 0, 0
		}
	}
}

// forgetOthers clears what only those events read that do not follow a contested order: late answers, and ages that pass.
func (n *node) forgetOthers() {
	n.lateFault = false
	for i := range n.ids {
		n.ids[i].queried = false
	}
	for k := range n.requests {
		n.requests[k].age = 0
	}
}

// canonicalizeIdentity brings one identity into its canonical form.
func (m *model) canonicalizeIdentity(n *node, i int) {
	id, st := &n.s.Ledger[i], &n.ids[i]
	if id.Fact = keptFact(id); id.Effect == policy.NotExecuted && n.closed(i) {
		id.Fact.Reach = 0 // no rule sees it again
	}
	if m.coarse && i < len(n.ids)-1 && m.learnsProviderID() {
		if own := providerID(id.RequestID); n.s.Ledger[len(n.ids)-1].ProviderID != own {
			id.ProviderID = own // see learnsProviderID
		}
	}
	if m.coarse && i < len(n.ids)-1 {
		st.queried = st.queried || m.mayHaveAsked(n)
	}
	settled := n.s.Stage == flow.Ended && n.s.Outcome != policy.Escalated // what is said later changes no outcome
	if n.closed(i) && (id.Sends == 1 || settled) && slices.Contains(m.terms.Contract.Dedupe, policy.RequestID) {
		st.old = false // it is not sent again, begins no window of another one, and has no copies that a refusal is to cover
	}
	st.accepted = st.accepted && !st.failed && st.executed+st.other == 0 && n.candidates(i) > 0
}

// capRequests keeps at most two equal requests of one identity. More behave like two. Which is the last one counts only where its age does.
func (m *model) capRequests(n *node) {
	if _, ages := m.clock.next(0, roleCopy); !ages {
		for k := range n.requests {
			n.requests[k].last = false
		}
	}
	kept := n.requests[:0]
	for k, c := range n.requests {
		alike := 0
		for _, other := range n.requests[k+1:] {
			if c.id == other.id && c.deduped == other.deduped && c.age == other.age && !c.last {
				alike++
			}
		}
		if alike < 2 {
			kept = append(kept, c)
		}
	}
	n.requests = kept
}

// mergePast keeps one past identity of the last one's order, and one of another order. It merges
// only identities that are known not to have executed and have nothing on the way. Later
// transitions depend on two things alone: that there is one, and whether the provider still has a
// request that others can be mistaken for. The tests compare this with the exact search, which
// keeps all.
func (m *model) mergePast(n *node) {
	kept := -1
	for i := 0; i < len(n.ids); {
		last := len(n.ids) - 1
		id := &n.s.Ledger[i]
		if id.Effect != policy.NotExecuted || id.Contested || n.unreported(i) > 0 || !n.closed(i) {
			i++
			continue
		}
		same := id.OrderID == n.s.Ledger[last].OrderID
		if same && n.ids[i].old {
			n.ids[last].old = true // it began the window of the order, which the latest has too
		}
		if !same {
			id.Copies = 1 // a later "pending" statement finds one request
		}
		m.simplifyPast(n, i)
		switch {
		case i == last || kept < 0:
			kept = max(kept, i)
			i++
			continue
		case same == (n.s.Ledger[kept].OrderID == n.s.Ledger[last].OrderID):
			n.s.Ledger[kept].Copies = max(n.s.Ledger[kept].Copies, id.Copies)
			m.simplifyPast(n, kept)
			n.removeIdentity(i)
		case same:
			n.removeIdentity(kept)
			kept = i - 1
		default:
			n.removeIdentity(i)
		}
	}
}

// simplifyPast brings a past identity into its simplest form.
func (m *model) simplifyPast(n *node, i int) {
	id, st := &n.s.Ledger[i], &n.ids[i]
	id.Sends, id.Prior, id.Copies, id.Reopened = 1, policy.NotExecuted, min(id.Copies, 1), false
	id.Fact = policy.Fact{Effect: policy.NotExecuted, Class: noClass}
	*st = statements{failed: id.Copies > 0, first: st.last, last: st.last, asked: st.asked, queried: st.queried} // a "not found" can name it
	one := request{id: i, last: true, deduped: true}
	n.requests = slices.DeleteFunc(n.requests, func(c request) bool { return c.id == i })
	if id.Copies > 0 {
		n.requests = append(n.requests, one)
	}
}

// removeIdentity removes an identity from the node.
func (n *node) removeIdentity(i int) {
	n.s.Ledger = slices.Delete(slices.Clone(n.s.Ledger), i, i+1)
	n.ids = slices.Delete(n.ids, i, i+1)
	n.requests = slices.DeleteFunc(n.requests, func(c request) bool { return c.id == i })
	for k := range n.requests {
		if n.requests[k].id > i {
			n.requests[k].id--
		}
	}
	if n.firstOwn > i {
		n.firstOwn--
	}
}

// unusedNumber returns a number that no identity of the node has in its names.
func (n *node) unusedNumber() int {
	k := 0
	for i := 0; i < len(n.s.Ledger); i++ {
		if n.s.Ledger[i].RequestID == requestID(k) || n.s.Ledger[i].OrderID == orderID(k) {
			k, i = k+1, -1
		}
	}
	return k
}
