package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// queryAnswers emits every answer that a query can get. A late one answers a query that the
// flow no longer waits for.
func (m *model) queryAnswers(n *node, kind transitionKind, emit emitFunc) {
	late := kind == kindLateQueryAnswer
	for c := range m.facts.classes[policy.Query] {
		h := &m.facts.classes[policy.Query][c]
		absent := h.fact.Class == policy.NotFound && m.clock.absenceProved > 0
		if late && n.s.Stage != flow.Waiting && h.fact.Effect == policy.Unknown && !absent {
			continue // the flow learns nothing new from it, and asks no rule
		}
		for i := range n.ids {
			if late && !n.ids[i].queried {
				continue // no query was sent since the identity was
			}
			if h.answer.Fault != policy.NoFault && i != len(n.ids)-1 {
				continue
			}
			tr := transition{kind: kind, id: uint8(i), class: int16(c)}
			m.queryAnswersAbout(n, h, tr, emit)
		}
	}
	if late {
		m.lateRepliesOfOthers(n, kind, func(i int) bool { return n.ids[i].queried }, emit)
		return
	}
	m.repliesOfOthers(n, transition{kind: kind, id: uint8(len(n.ids) - 1)}, emit)
}

// queryAnswersAbout emits the answers of one class about the identity of a transition.
func (m *model) queryAnswersAbout(n *node, h *answerClass, tr transition, emit emitFunc) {
	i, late := int(tr.id), tr.kind == kindLateQueryAnswer
	names, inScope := m.queryNames(n, i, late)
	if !inScope {
		return
	}
	explore := func(next *node, name uint8) {
		tr.variant = name
		m.explore(next, tr, emit)
	}
	if n.s.AskedBy == policy.OrderID && !late {
		m.foreignExecution(n, h, explore)
	}
	if h.fact.Effect == policy.NotExecuted {
		m.otherRefusal(n, h, names, explore)
	}
	for _, name := range names {
		if next := m.settleQuery(n, i, h, late, name); next != nil {
			m.settleAnswer(next, h, i, []uint8{name}, explore)
		}
	}
}

// settleQuery returns what is known after a query's answer about an identity, and nil if the
// provider cannot give that answer. Several identities may share an order. An answer that names
// no request may be about any of them.
func (m *model) settleQuery(n *node, i int, h *answerClass, late bool, name uint8) *node {
	named := name == namesBoth
	if h.fact.Effect == policy.NotExecuted {
		if m.breaches.falseRefusal {
			return n
		}
		return m.settleQueryRefusal(n, i, late, named)
	}
	does := m.breaches.queryMisses || h.fact.Class != policy.NotFound || h.fact.Effect != policy.Unknown
	if does || late {
		return n
	}
	return m.settleAbsence(n, i, named)
}

// settleQueryRefusal returns what is known when a query says that an identity was not executed.
func (m *model) settleQueryRefusal(n *node, i int, late, named bool) *node {
	// A provider's own id names one request of several. It says nothing of the others.
	complete := !late && n.s.AskedBy != policy.ProviderID && m.queryIsComplete(n, i)
	next := n.fail(i)
	if next == nil {
		return nil
	}
	scope := m.scope(n, i, named)
	for _, k := range scope {
		complete = complete && m.queryIsComplete(n, k)
	}
	if !complete {
		return next
	}
	if next == n {
		c := n.clone()
		next = &c
	}
	for _, k := range scope {
		if st := &n.ids[k]; st.executed+st.other > 0 {
			return nil // the answer would report that execution
		}
		next.failAll(k)
	}
	return next
}

// settleAbsence returns what is known when a query does not find an identity, and nil if it would have found a request
// that it speaks for. By the order it speaks for every identity of the order, unless the answer names one. What can have arrived after the
// query says nothing against the answer. The provider's own id names one request of
// several: that can be one that was refused at the door, or as a repeat, and is in no books.
func (m *model) settleAbsence(n *node, i int, named bool) *node {
	oneOfSeveral := n.s.AskedBy == policy.ProviderID && n.s.Ledger[i].Sends > 1
	if oneOfSeveral {
		return n
	}
	next := n
	for _, k := range m.scope(n, i, named) {
		if !m.queryIsComplete(n, k) {
			continue
		}
		if st := &n.ids[k]; st.failed || st.accepted || st.executed+st.other > 0 {
			return nil
		}
		if next == n {
			c := n.clone()
			next = &c
		}
		next.requests = slices.DeleteFunc(next.requests, func(c request) bool { return c.id == k })
	}
	return next
}

// queryIsComplete reports whether the query under way finds every request of an identity that can
// ever arrive.
func (m *model) queryIsComplete(n *node, i int) bool {
	k, asked := m.clock, n.ids[i].asked
	if k.absenceProved == 0 || k.arrivalOver == 0 || asked < k.absenceProved || asked < k.arrivalOver {
		return false
	}
	m.reads.promises[finds], m.reads.promises[arrives] = true, true
	return !m.breaches.arrivesLate && !m.breaches.queryMisses
}

// scope returns the identities that a query's answer about one may speak for.
func (m *model) scope(n *node, i int, named bool) []int {
	if named || n.s.AskedBy != policy.OrderID {
		return []int{i}
	}
	var all []int
	for k := range n.s.Ledger {
		if n.s.Ledger[k].OrderID == n.s.Ledger[i].OrderID {
			all = append(all, k)
		}
	}
	return all
}

// failAll stores that every request of an identity ended without execution.
func (n *node) failAll(i int) {
	one := false
	n.requests = slices.DeleteFunc(n.requests, func(c request) bool {
		again := c.id == i && one
		one = one || c.id == i
		return again
	})
	n.ids[i].failed, n.ids[i].accepted = one, false
}

// fail returns a node in which a request of an identity ended without execution, and nil if none
// can have.
func (n *node) fail(i int) *node {
	if n.ids[i].failed {
		return n
	}
	if n.unreported(i) == 0 {
		return nil
	}
	next := n.clone()
	next.ids[i].failed = true
	return &next
}

// queryNames reports whether a query's answer can be about an identity, and how it names it. A
// late answer can be about an earlier query.
func (m *model) queryNames(n *node, i int, late bool) (names []uint8, inScope bool) {
	cur := len(n.ids) - 1
	l := n.s.Ledger
	by := n.s.AskedBy
	if by == "" {
		by = m.terms.Contract.QueryIdentifier(l[cur].ProviderID != "")
	}
	if by != policy.OrderID {
		if i != cur {
			return []uint8{namesNothing}, late
		}
		return []uint8{namesNothing}, true
	}
	if l[i].OrderID != l[cur].OrderID {
		return []uint8{namesNothing}, late
	}
	names = []uint8{namesNothing}
	for j := range l {
		if j != i && l[j].OrderID == l[i].OrderID {
			return append(names, namesBoth), true
		}
	}
	return names, true
}
