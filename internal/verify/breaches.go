package verify

import "github.com/recourse-pay/recourse/policy"

// breaches are ways in which the provider breaks its contract while the flow relies on it. The
// proof assumes none. The tests switch on one at a time, and check that the search finds a
// violation: each assumption is needed.
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

// retract lets a request go on after the provider reported it as failed.
func (m *model) retract(n *node, i int) {
	waits := n.s.Stage == "waiting" || n.s.Stage == "querying"
	if m.breaches.retracts && waits && i == len(n.ids)-1 && n.candidates(i) == 1 {
		n.ids[i].failed = false
	}
}

// foreignExecution emits the report that another client's request was executed under one of our
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
