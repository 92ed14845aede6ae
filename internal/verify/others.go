package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// webhooksOfOthers emits verified webhooks about other payments: other merchants', and other
// operations of the same trade. The provider says the truth in them, and it is not about this flow. They
// settle nothing, whatever they say.
func (m *model) webhooksOfOthers(n *node, emit emitFunc) {
	seen := map[policy.Effect]bool{}
	for c := range m.facts.classes[policy.Webhook] {
		h := &m.facts.classes[policy.Webhook][c]
		explore := func(variant uint8, id int) {
			m.explore(n, transition{kind: kindWebhook, id: uint8(id), class: int16(c), variant: variant}, emit)
		}
		if n.s.Stage != flow.Ended && h.contests() { // one that comes after the end leads where one before leads
			m.webhooksOfSiblings(n, explore)
		}
		if seen[h.fact.Effect] || !h.fact.Effect.Settled() {
			continue // the flow takes none of them for its own, so one of a kind is enough
		}
		seen[h.fact.Effect] = true
		explore(namesNothing, 0)
		explore(namesStranger, 0)
		explore(namesZero, 0)
		explore(namesCrossed, 0)
		if m.payment.Operation == policy.Refund {
			explore(namesTarget, 0)
		}
	}
}

// contested reports whether an order of the flow is contested.
func (n *node) contested() bool {
	return slices.ContainsFunc(n.s.Ledger, func(id flow.Identity) bool { return id.Contested })
}

// webhooksOfSiblings emits webhooks about another operation under an order of the flow. The flow
// cannot tell them from another client's payment of the order.
func (m *model) webhooksOfSiblings(n *node, explore func(uint8, int)) {
	for i := range n.s.Ledger {
		if n.lastOfOrder(i) {
			explore(namesSibling, i)
		}
	}
}

// lastOfOrder reports whether the identity after one has another order, or there is none.
func (n *node) lastOfOrder(i int) bool {
	return i == len(n.s.Ledger)-1 || n.s.Ledger[i].OrderID != n.s.Ledger[i+1].OrderID
}

// contests reports whether an answer of the class contests an order, if it names a request of it that the flow does not know.
func (h *answerClass) contests() bool {
	return h.fact.Effect == policy.Executed || h.fact.Effect == policy.Pending
}

// repliesOfOthers emits answers to the call under way that are about another payment, whatever the provider knows of ours. The reply to a
// send that names the order and a request that the flow does not know is about the flow's own request; the answer to a query is not.
func (m *model) repliesOfOthers(n *node, tr transition, emit emitFunc) {
	m.otherPayment(n, tr, emit)
	m.earlierRequests(n, tr, emit)
	if tr.kind == kindQueryAnswer {
		m.unknownRequest(n, tr, emit)
	}
}

// earlierRequests emits answers to the call under way that are about an earlier request of the payment key, or name one, and are true of it.
func (m *model) earlierRequests(n *node, tr transition, emit emitFunc) {
	names := []uint8{namesBoth}
	if tr.kind == kindQueryAnswer {
		names = []uint8{namesBoth, namesNothing, namesTarget}
		if m.givesProviderID() {
			names[2] = namesProviderID
		}
	}
	for i := range len(n.ids) - 1 {
		tr.id = uint8(i)
		for c := range m.facts.classes[tr.phase()] {
			h := &m.facts.classes[tr.phase()][c]
			tr.class = int16(c)
			if !m.mayAnswerEarlier(n, h, tr) {
				continue
			}
			names := names
			if refused := h.fact.Effect == policy.NotExecuted; refused && tr.kind == kindQueryAnswer && n.s.Ledger[i].Effect == policy.NotExecuted {
				names = append(names[:len(names):len(names)], namesOneOfTwo)
			}
			if next := m.settleEarlier(n, h, tr); next != nil {
				m.settleAnswer(next, h, i, names, func(next *node, name uint8) {
					tr.variant = name
					m.explore(next, tr, emit)
				})
			}
		}
	}
}

// mayAnswerEarlier reports whether an answer to the call under way may be about an earlier request, or name it. Where the provider dedupes by
// the order, a send may get the answer of the order's first request, and the provider's id is that request's. A query by the id of
// the payment that several requests work on finds any of them. (What a query by the order finds is in queryNames.) What settles nothing, or refuses
// the request of the call at the door, may name the one that this repeats in any case.
func (m *model) mayAnswerEarlier(n *node, h *answerClass, tr transition) bool {
	c, i := &m.terms.Contract, int(tr.id)
	sameOrder := n.s.Ledger[i].OrderID == n.s.Ledger[len(n.ids)-1].OrderID
	byOrder := sameOrder && slices.Contains(c.Dedupe, policy.OrderID) && c.Replay != policy.ExecutedAgain && n.candidates(i) > 0
	if tr.kind == kindQueryAnswer {
		return n.s.AskedBy == policy.ProviderID && (m.actsOnTarget() && n.candidates(i) > 0 || byOrder)
	}
	return byOrder || sameOrder && h.ofItsCall()
}

// ofItsCall reports whether a reply of the class to a send settles nothing, or refuses the request of the call at the door: it may name another one
// of the order, which that repeats.
func (h *answerClass) ofItsCall() bool {
	return h.answer.Fault == policy.NoFault && (h.fact.Effect == policy.Unknown || h.fact.Effect == policy.NotExecuted && h.fact.Stage == policy.Door)
}

// lateRepliesNameEarlier emits such replies to the latest request that come late. While it does not wait the flow asks no rule about them.
func (m *model) lateRepliesNameEarlier(n *node, emit emitFunc) {
	last := len(n.ids) - 1
	if n.s.Stage != flow.Waiting || !slices.ContainsFunc(n.requests, func(c request) bool { return c.id == last }) {
		return
	}
	for i := range last {
		if n.s.Ledger[i].OrderID != n.s.Ledger[last].OrderID {
			continue
		}
		for c := range m.facts.classes[policy.Send] {
			if m.facts.classes[policy.Send][c].ofItsCall() {
				m.explore(n, transition{kind: kindLateAnswer, id: uint8(i), class: int16(c), variant: namesBoth}, emit)
			}
		}
	}
}

// settleEarlier returns what is known when the answer to a call refuses an earlier request, and nil if the provider cannot give it. At the door
// the request of the call is refused, whatever the answer names.
func (m *model) settleEarlier(n *node, h *answerClass, tr transition) *node {
	switch replied := tr.kind == kindAnswer; {
	case h.fact.Effect != policy.NotExecuted, m.breaches.falseRefusal, replied && h.fact.Stage == policy.Door:
		return n
	case replied && m.terms.Contract.Replay == policy.Rejected:
		return nil // a repeat gets no earlier result
	}
	return n.fail(int(tr.id))
}

// lateRepliesOfOthers emits the same to a call about an identity that the flow no longer waits for. It is asked about another payment only
// while it waits, and learns of an unknown request at any time.
func (m *model) lateRepliesOfOthers(n *node, kind transitionKind, called func(i int) bool, emit emitFunc) {
	if n.s.Stage == flow.Ended {
		return
	}
	first, order, last := true, "", n.s.Ledger[len(n.ids)-1].OrderID
	for i := len(n.ids) - 1; i >= 0; i-- {
		tr, of := transition{kind: kind, id: uint8(i)}, n.s.Ledger[i].OrderID
		earlier := of != last && !m.newOrders // of an earlier flow, whose calls are not this one's
		if earlier || of == order || !called(i) {
			continue
		}
		if order = of; first && n.s.Stage == flow.Waiting {
			m.otherPayment(n, tr, emit)
		}
		first = false
		m.unknownRequest(n, tr, emit)
	}
}

// otherPayment emits an answer of each class that names another payment.
func (m *model) otherPayment(n *node, tr transition, emit emitFunc) {
	tr.variant = namesOther
	for c := range m.facts.classes[tr.phase()] {
		if m.facts.classes[tr.phase()][c].answer.Fault == policy.NoFault { // a failed call names no payment
			tr.class = int16(c)
			m.explore(n, tr, emit)
		}
	}
}

// unknownRequest emits an answer of each class that contests an order of the flow. Captures and cancels expect other requests of their order:
// to them such an answer is one about another payment.
func (m *model) unknownRequest(n *node, tr transition, emit emitFunc) {
	if m.actsOnTarget() || m.coarse && !m.counts() && n.contested() { // one more changes nothing
		return
	}
	tr.variant = namesSibling
	for c := range m.facts.classes[tr.phase()] {
		if m.facts.classes[tr.phase()][c].contests() {
			tr.class = int16(c)
			m.explore(n, tr, emit)
		}
	}
}

// phase is that of a reply to a call.
func (tr *transition) phase() policy.Phase {
	if tr.kind == kindAnswer || tr.kind == kindLateAnswer {
		return policy.Send
	}
	return policy.Query
}
