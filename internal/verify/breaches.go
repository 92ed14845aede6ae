package verify

import "github.com/recourse-pay/recourse/policy"

// lies are ways in which the provider does not keep to its contract, while the flow relies on
// it. With none the model is what is proved; the tests let it lie in each way in turn, and
// see that the checker notices.
type breaches struct {
	reexecutes      bool // what is said to be deduped is executed again
	dedupesTooShort bool // it dedupes, but not for as long as it says
	arrivesLate     bool // a request arrives later than any grace
	queryMisses     bool // a query does not find what has arrived long ago
	falseWebhook    bool // a webhook of its own, with its signature, says what is not so
	falseRefusal    bool // a refusal that is certain by its code is none

	// These are no lies about the contract, but beyond what it speaks of. The flow is ready for
	// them, and what holds is to hold with them.
	retracts bool // what it said was refused it takes back, while nothing else was sent
	foreign  bool // somebody else's request is executed under one of our orders
}

// recall lets a request that was told to have failed go on after all.
func (m *model) retract(n *node, i int) {
	waits := n.s.Stage == "waiting" || n.s.Stage == "querying"
	if m.breaches.retracts && waits && i == len(n.ids)-1 && n.candidates(i) == 1 {
		n.ids[i].failed = false
	}
}

// strange brings the word that a request that is none of ours was executed under one of our
// orders.
func (m *model) foreignExecution(n *node, h *answerClass, i int, emit func(*node, policy.Answer)) {
	if !m.breaches.foreign || h.fact.Effect != policy.Executed {
		return
	}
	next := n.clone()
	next.foreign = true
	a := h.answer
	a.OrderID, a.RequestID = n.s.Ledger[i].OrderID, "a stranger's"
	emit(&next, a)
}
