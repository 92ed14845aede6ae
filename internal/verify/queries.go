package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// queryAnswers is everything that a query can bring.
func (m *model) queryAnswers(n *node, kind transitionKind, query int, emit emitFunc) {
	late := kind == kindLateQueryAnswer
	for c := range m.classes[policy.Query] {
		h := &m.classes[policy.Query][c]
		absent := h.fact.Class == policy.NotFound && m.clock.absenceProved > 0
		if late && (h.fact.Effect == policy.Unknown && !absent || h.sameUnruled && n.s.Stage != flow.Waiting) {
			continue
		}
		for i := range n.ids {
			names, inScope := m.queryNames(n, i, late)
			if late && !n.ids[i].queried && !m.coarse {
				continue // nobody asked for it since it was sent
			}
			if !inScope || i < len(n.ids)-1 && m.redundant(n, i, h) || h.answer.Fault != policy.NoFault && i != len(n.ids)-1 {
				continue
			}
			if n.s.AskedBy == policy.OrderID && !late {
				m.foreignExecution(n, h, i, func(next *node, a policy.Answer) {
					tr := transition{kind: kind, id: uint8(i), class: int16(c), variant: namesForeign}
					m.explore(next, tr, flow.Queried{Moment: now, Answer: a, Query: query}, emit)
				})
			}
			for _, name := range names {
				next := m.settleQuery(n, i, h, late, name == namesBoth)
				if next == nil {
					continue
				}
				m.settleAnswer(next, h, i, []uint8{name}, func(next *node, a policy.Answer, name uint8) {
					tr := transition{kind: kind, id: uint8(i), class: int16(c), variant: name}
					m.explore(next, tr, flow.Queried{Moment: now, Answer: a, Query: query}, emit)
				})
			}
		}
	}
}

// query is what a query's answer settles about an identity; nil if it cannot be given. An
// answer that names no request of several under the order may be about any of them.
func (m *model) settleQuery(n *node, i int, h *answerClass, late, named bool) *node {
	seen := !late && m.queryIsComplete(n, i)
	if m.breaches.falseRefusal && h.fact.Effect == policy.NotExecuted {
		return n
	}
	if h.fact.Effect == policy.NotExecuted {
		seen = seen && n.s.AskedBy != policy.ProviderID // which names one of several
		next := n.fail(i)
		if next == nil {
			return nil
		}
		scope := m.scope(n, i, named)
		for _, k := range scope {
			seen = seen && m.queryIsComplete(n, k)
		}
		if !seen {
			return next
		}
		if next == n {
			c := n.clone()
			next = &c
		}
		for _, k := range scope {
			if st := &n.ids[k]; st.executed+st.other > 0 {
				return nil // that is what it would say
			}
			next.failAll(k)
		}
		return next
	}
	finds := m.breaches.queryMisses || h.fact.Class != policy.NotFound || h.fact.Effect != policy.Unknown
	if finds || late || m.clock.absenceProved == 0 || n.ids[i].asked < m.clock.absenceProved {
		return n
	}
	// By now whatever has arrived would be found: nothing has.
	st := &n.ids[i]
	if st.failed || st.accepted || st.executed+st.other > 0 {
		return nil
	}
	if !seen {
		return n // what arrived after the query was asked it cannot find
	}
	next := n.clone()
	one := false
	next.requests = slices.DeleteFunc(next.requests, func(c request) bool {
		gone := c.id == i && (n.s.AskedBy != policy.ProviderID || c.deduped || !one)
		one = one || c.id == i
		return gone
	})
	return &next
}

// sees reports whether the query under way was asked when every request of an identity had
// arrived, or never will, and is found.
func (m *model) queryIsComplete(n *node, i int) bool {
	k, asked := m.clock, n.ids[i].asked
	return !m.breaches.arrivesLate && k.absenceProved > 0 && k.arrivalOver > 0 && asked >= k.absenceProved && asked >= k.arrivalOver
}

// scope are the identities that a query's answer about one may speak for.
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

// fail stores that a request of an identity ended without execution; nil if none can have.
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

// queryNames says whether a query's answer may speak of an identity, and how it names it.
// A late one may be about what was asked before.
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
		return []uint8{namesNothing, namesOther}, true
	}
	if l[i].OrderID != l[cur].OrderID {
		return []uint8{namesNothing}, late
	}
	names = []uint8{namesNothing}
	if i == cur {
		names = append(names, namesOther)
	}
	for j := range l {
		if j != i && l[j].OrderID == l[i].OrderID {
			return append(names, namesBoth), true
		}
	}
	return names, true
}
