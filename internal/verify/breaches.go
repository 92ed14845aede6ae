package verify

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// breaches are ways in which the provider breaks its contract while the flow relies on it. The
// proof assumes none. What it needs is found by switching them on (see needs.go); the tests switch on one at a time, and
// check that the search finds a violation.
type breaches struct {
	reexecutes      bool // a deduplicated repeat is executed again
	dedupesTooShort bool // the dedupe window is shorter than declared
	arrivesLate     bool // a request arrives after the arrival grace
	queryMisses     bool // a query does not find a request that arrived long ago
	answersAnew     bool // a repeat gets a result of its own, and not the first one
	falseWebhook    bool // a webhook with a valid signature states what is false
	falseRefusal    bool // a certain refusal was executed

	// The contract does not mention these two. The flow is made for them: every property must
	// hold with them too.
	retracts bool // a refusal is withdrawn, while nothing else was sent
	foreign  bool // another client's request is executed under one of our orders

	// The flow's own mistakes.
	forgetsQueries bool // it does not count its queries
	forgetsSends   bool // nor its sends
}

// forget takes back what the flow has counted in a step, before which it had sent and queried so often.
func (b *breaches) forget(sends, queries int, after *flow.State) {
	if b.forgetsQueries {
		after.Queries = min(after.Queries, queries)
	}
	if b.forgetsSends {
		after.Attempts = min(after.Attempts, sends)
	}
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
func (m *model) foreignExecution(n *node, h *answerClass, emit answerFunc) {
	if !m.breaches.foreign || h.fact.Effect != policy.Executed {
		return
	}
	next := n.clone()
	next.foreign = true
	emit(&next, namesForeign)
}
