package flow

import (
	"cmp"
	"fmt"

	"github.com/recourse-pay/recourse/policy"
)

// stepWithoutAnswer handles the events that bring no answer of the provider.
func (m *machine) stepWithoutAnswer(e Event, started bool) error {
	switch e := e.(type) {
	case Due:
		if m.s.Stage != Waiting || !m.bringsNewIdentifiers(e) {
			return m.misfit(e)
		}
		m.due(e)
	case Resumed:
		if !started {
			return m.misfit(e)
		}
		m.resumed()
	case Resolved:
		if !started || e.Identity < 0 || e.Identity >= len(m.s.Ledger) || !e.Effect.Settled() {
			return m.misfit(e)
		}
		m.resolved(e)
	case Withdrawn:
		switch m.s.Stage {
		case Ended:
			return m.misfit(e)
		case New:
			m.s.Withdrawn = cmp.Or(e.Why, withdrawn)
			m.s.Started = m.now.At
			m.finish(policy.Failed, "withdrawn before anything was sent")
		default:
			m.withdrawn(e)
		}
	default:
		return m.misfit(e)
	}
	return nil
}

// bringsNewIdentifiers reports whether the end of a wait brings the identifiers that its action
// needs. Under identifiers that were used before, the provider would see a repeat of that request.
func (m *machine) bringsNewIdentifiers(e Due) bool {
	for i := range m.s.Ledger {
		id := &m.s.Ledger[i]
		switch {
		case m.s.Next.Action == policy.RetryNewRequest && (e.RequestID == "" || e.RequestID == id.RequestID):
			return false
		case m.s.Next.Action == policy.RetryNewOrder && e.OrderID == id.OrderID && e.OrderID != "":
			return false
		}
	}
	return true
}

// resumed goes on after a crash. A call that was under way when the process died may have
// reached the provider, so it counts as a call without an answer.
func (m *machine) resumed() {
	lost := policy.Answer{Phase: policy.Send, Fault: policy.Timeout}
	switch m.s.Stage {
	case Sending:
		/*guard:crash-is-in-doubt*/ m.answered(&lost, m.now.At)
	case Querying:
		lost.Phase = policy.Query
		m.answered(&lost, m.s.Asked)
	case Waiting:
		m.wait(m.s.Next.Action, m.s.Next.Via, m.s.Next.At)
	case New, Ended:
	}
}

// withdrawn stops all further sends. A send that the flow waited for is replaced: by the end of
// the flow if nothing is in doubt, else by finding out what became of the earlier requests.
func (m *machine) withdrawn(e Withdrawn) {
	m.s.Withdrawn = cmp.Or(e.Why, withdrawn)
	if next := m.s.Displaced; next != nil && next.Action.Sends() {
		m.s.Displaced = nil
	}
	next := m.s.Next
	if m.s.Stage != Waiting || !next.Action.Sends() {
		m.do(Record{})
		return
	}
	m.insteadOfSend(next, withdrawn)
}

// insteadOfSend replaces the send that a flow waited for and that is not allowed any more: by the
// end of the flow if nothing is in doubt, else by finding out what became of the earlier requests.
func (m *machine) insteadOfSend(next Next, limit string) {
	wanted := policy.Decision{Action: next.Action, Reason: m.s.Reason}
	v := Verdict{Action: m.s.exhausted(), Limit: limit}
	/*guard:withdrawn-in-doubt*/ if m.s.InDoubt() {
		v.Action, v.Via = fallback(&m.s, m.t, m.now)
	}
	m.do(Decided{At: m.now.At, Due: true, Answer: &policy.Answer{}, Fact: m.s.current().Fact, InDoubt: m.s.InDoubt(), Decision: wanted, Verdict: v})
	m.s.Reason = endReason(&wanted, &v)
	switch {
	case v.Action != policy.QueryStatus:
		m.s.NewOrderPossible = v.Action == policy.MarkFailed && next.Action == policy.RetryNewOrder
		m.end(v.Action, m.s.Reason)
	case v.Via == ByWebhook:
		m.wait(v.Action, v.Via, m.s.limit(m.t))
	default:
		m.wait(v.Action, v.Via, m.now.At)
	}
}

// resolved takes the word of a person, of a reconciliation file, or of a cancel that worked.
func (m *machine) resolved(e Resolved) {
	id := &m.s.Ledger[e.Identity]
	fact := policy.Fact{Effect: e.Effect, Class: policy.AlreadyDone, Stage: policy.Result, Basis: policy.Documented}
	m.s.addEvidence(Evidence{At: m.now.At, Phase: policy.Webhook, Identity: e.Identity, Fact: fact, Person: e.Who,
		Answer: &policy.Answer{Phase: policy.Webhook, Verified: true, Message: e.Who + ": " + e.Why}})
	if /*guard:person-and-send-under-way*/ m.s.Stage == Sending && id == m.s.current() && e.Effect == policy.NotExecuted {
		// The word is about earlier copies of this identity. Another copy is under way right now, and
		// only its answer can settle the identity. The word stays among the evidence.
		m.do(Record{})
		return
	}
	id.Effect, id.Fact, id.Contested, id.Mismatch, id.Disputed = e.Effect, fact, false, false, false
	why := fmt.Sprintf("resolved by %s: %s", e.Who, e.Why)
	open := m.s.Stage != Ended || m.s.Outcome == policy.Escalated
	switch {
	case !open:
		m.contradiction(why, true)
	case /*guard:person-proves-one-execution*/ m.s.proved() && /*guard:person-speaks-of-one-identity*/ !m.s.disputed():
		m.finish(policy.Succeeded, why)
	case /*guard:person-settles-one-identity*/ m.s.allNotExecuted():
		m.finish(policy.Failed, why)
	default:
		m.do(Record{})
	}
}

// afterEnd takes an answer that arrives after the end. Proof settles an escalated flow. What
// contradicts a flow that failed or succeeded raises an alert and changes no outcome: the
// merchant has acted on it already.
func (m *machine) afterEnd(fact policy.Fact) {
	before := State{Ledger: m.was}
	switch {
	case m.s.Outcome != policy.Escalated:
		m.contradiction(fact.Class.String(), false)
	case /*guard:escalation-is-settled-by-proof*/ m.s.proved() && !before.proved() && /*guard:escalation-stays-disputed*/ !m.s.disputed():
		m.s.Class = fact.Class
		m.finish(policy.Succeeded, "proved after it was escalated")
	case fact.Effect == policy.NotExecuted && /*guard:escalation-fails-when-certain*/ m.s.allNotExecuted():
		m.s.Class = fact.Class
		m.finish(policy.Failed, "proved not executed after it was escalated")
	default:
		m.do(Record{})
	}
}

// contradiction raises an alert when the ledger, or a dispute, contradicts the outcome. News
// that only repeats what is known raises none, unless a person vouches for it (vouched): the
// person expects a reaction.
func (m *machine) contradiction(what string, vouched bool) {
	last := m.s.Evidence[len(m.s.Evidence)-1]
	m.do(Record{})
	if last.Identity < 0 || last.Phase == policy.Webhook && !last.Answer.Verified {
		return
	}
	disputed := last.Fact.Class == policy.Disputed
	was, is := m.was[last.Identity], m.s.Ledger[last.Identity]
	changed := vouched || was.Effect != is.Effect || was.Contested != is.Contested || was.Mismatch != is.Mismatch
	switch {
	case m.s.Outcome == policy.Failed && (disputed || changed && is.Effect != policy.NotExecuted):
		m.do(Alert{Reason: "marked failed, and then: " + what, Evidence: last})
	case m.s.Outcome == policy.Succeeded && (disputed || changed && !m.s.proved()):
		m.do(Alert{Reason: "marked succeeded, and then: " + what, Evidence: last})
	}
}
