package verify

import (
	"cmp"
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

// mayHaveAsked reports whether a query may have been sent since an earlier identity was: the coarse model forgets that, but where it counts
// the queries of the flow, and there was none.
func (m *model) mayHaveAsked(n *node) bool { return m.following.queries.most == 0 || n.queries > 0 }

// queryAnswersAbout emits the answers of one class about the identity of a transition.
func (m *model) queryAnswersAbout(n *node, h *answerClass, tr transition, emit emitFunc) {
	i, late := int(tr.id), tr.kind == kindLateQueryAnswer
	names, inScope := m.queryNames(n, i, late, h)
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
	named := name == namesBoth || name == namesOneOfTwo || name == namesProviderID || name == namesUnknownID // else it may speak of several
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

// queryNames reports whether an answer to a query can be about an identity, and how it names it. A
// late answer can be about an earlier query.
func (m *model) queryNames(n *node, i int, late bool, h *answerClass) (names []uint8, inScope bool) {
	cur := len(n.ids) - 1
	l := n.s.Ledger
	by := n.s.AskedBy
	if by == "" {
		by = m.terms.Contract.QueryIdentifier(l[cur].ProviderID != "")
	}
	inScope = late || i == cur || by == policy.OrderID && l[i].OrderID == l[cur].OrderID
	switch names = []uint8{namesNothing, namesBoth}; {
	case len(l) == 1:
		names = names[:1] // the others come to the same
	case !m.givesProviderID():
		names = append(names, namesTarget)
	case h.fact.Class != policy.NotFound || h.fact.Effect != policy.Unknown: // who does not find it has no id of it
		names = append(names, namesProviderID, namesUnknownID)
	}
	if i != cur && l[i].Effect == policy.NotExecuted && h.fact.Effect == policy.NotExecuted {
		names = append(names, namesOneOfTwo)
	}
	return names, inScope
}

// suppose sets in a flow what the model does not follow, and an answer reads: that it knows no id of the provider, so that one in a query's
// answer may be that of any request, and one in a webhook a stranger's; or that an earlier request that ended has left two copies, so that a failure
// may be that of one.
func (m *model) suppose(s *flow.State, tr transition) {
	switch {
	case m.knowsNoID(tr):
		m.ownLedger(s)
		for i := range s.Ledger {
			s.Ledger[i].ProviderID = ""
		}
	case tr.namesOneOfTwo():
		m.ownLedger(s)
		s.Ledger[tr.id].Copies = 2
	}
}

// recall undoes suppose.
func (m *model) recall(s *flow.State, tr transition) {
	switch was := m.steps.from.s.Ledger; {
	case m.knowsNoID(tr):
		for i := range was {
			s.Ledger[i].ProviderID = cmp.Or(was[i].ProviderID, s.Ledger[i].ProviderID)
		}
		m.forgetTaken(s)
	case tr.namesOneOfTwo():
		s.Ledger[tr.id].Copies = was[tr.id].Copies
	}
}

// forgetTaken takes from an earlier identity the provider's id that the latest has learned instead: the flow did not know whose it is.
func (m *model) forgetTaken(s *flow.State) {
	last := len(s.Ledger) - 1
	for i := range max(0, last) {
		id := &s.Ledger[i]
		if taken := id.ProviderID == s.Ledger[last].ProviderID; taken && m.learnsProviderID() && id.ProviderID == providerID(id.RequestID) {
			id.ProviderID = ""
		}
	}
}

// knowsNoID reports whether a flow that gets the answer of a transition is to know no id of the provider.
func (m *model) knowsNoID(tr transition) bool {
	switch name := tr.variant &^ (otherAmount | wholeAmount); tr.kind { //nolint:exhaustive // the others bring no such answer
	case kindQueryAnswer, kindLateQueryAnswer:
		return name == namesUnknownID
	case kindWebhook:
		return name == namesStranger && m.givesProviderID()
	}
	return false
}

func (tr *transition) namesOneOfTwo() bool {
	return (tr.kind == kindQueryAnswer || tr.kind == kindLateQueryAnswer) && tr.variant&^(otherAmount|wholeAmount) == namesOneOfTwo
}
