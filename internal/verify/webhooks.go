package verify

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// webhooks emits webhooks. They may arrive at any time, late, repeated and in any order.
func (m *model) webhooks(n *node, emit emitFunc) {
	m.ownWebhooks(n, false, emit)
	m.webhooksOfOthers(n, emit)
	m.unverifiedWebhooks(n, emit)
}

// ownWebhooks emits verified webhooks about the flow's own requests; with settling, those alone that say how one ended.
func (m *model) ownWebhooks(n *node, settling bool, emit emitFunc) {
	for c := range m.facts.classes[policy.Webhook] {
		if settling && !m.facts.classes[policy.Webhook][c].fact.Effect.Settled() {
			continue
		}
		for i := range n.ids {
			if n.candidates(i) > 0 {
				m.webhooksAbout(n, c, i, emit)
			}
		}
	}
}

// webhooksAbout emits the webhooks of one class about one identity.
func (m *model) webhooksAbout(n *node, c, i int, emit emitFunc) {
	h, next := &m.facts.classes[policy.Webhook][c], n
	if h.fact.Effect == policy.NotExecuted && !m.breaches.falseWebhook && !m.breaches.falseRefusal {
		if next = n.fail(i); next == nil {
			return
		}
	}
	names := []uint8{namesBoth}
	if n.sharesOrder(i) {
		names = append(names, namesOrder)
	}
	if m.givesProviderID() {
		names = append(names, namesProviderID)
	} else {
		names = append(names, namesTarget)
	}
	explore := func(next *node, name uint8) {
		m.explore(next, transition{kind: kindWebhook, id: uint8(i), class: int16(c), variant: name}, emit)
	}
	m.foreignExecution(n, h, explore)
	if h.fact.Effect == policy.NotExecuted {
		m.otherRefusal(n, h, names, explore)
	}
	m.settleAnswer(next, h, i, names, explore)
}

// unverifiedWebhooks emits webhooks without a valid signature. Any sender can forge them, so they
// may contain anything. Without a name of the flow one would be about another payment.
func (m *model) unverifiedWebhooks(n *node, emit emitFunc) {
	if n.s.Stage != flow.Waiting && n.s.Stage != flow.Ended {
		return // elsewhere the flow records it and does nothing
	}
	for c := range m.facts.classes[policy.Webhook] {
		if last := len(n.s.Ledger) - 1; last >= 0 {
			m.explore(n, transition{kind: kindUnverified, id: uint8(last), class: int16(c), variant: namesBoth}, emit)
		}
	}
}
