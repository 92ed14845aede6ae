package flow

import (
	"github.com/recourse-pay/recourse/policy"
)

// maxHastened bounds the queries that unverified webhooks can bring forward. Everyone who knows
// the URL can send one, and the queries of a flow are limited: forged messages must not use them up.
const maxHastened = 3

// received takes a webhook. Which identity it speaks of is found by State.identityOf, in match.go.
func (m *machine) received(a *policy.Answer) {
	if /*guard:unverified-is-a-hint*/ !a.Verified { // it may be forged: no evidence, at most a reason to query
		if i, _ := m.s.identityOf(a); i >= 0 && m.s.Stage != Ended {
			m.queryEarly()
			return
		}
		m.do(Record{})
		return
	}
	if m.s.Stage == Ended {
		m.afterEnd(m.learn(a, m.now.At, false))
		return
	}
	fact := m.learn(a, m.now.At, false)
	i := m.s.Evidence[len(m.s.Evidence)-1].Identity
	switch {
	case i < 0:
		m.do(Record{})
	case m.s.Stage == Waiting && /*guard:repeated-webhook-decides-nothing*/ (m.was[i].Effect == m.s.Ledger[i].Effect && m.was[i].Fact.Class == m.s.Ledger[i].Fact.Class):
		m.wait(m.s.Next.Action, m.s.Next.Via, m.s.Next.At) // a repeat; the decision stands
	case m.s.Stage == Waiting || fact.Effect == policy.Executed:
		m.decide(a, fact)
	default:
		// A call is under way. Its answer decides, and finds this fact in the ledger.
		m.do(Record{})
	}
}

// queryEarly brings a query forward because an unverified webhook says that something happened.
// A send that the flow waited for is displaced until the query is answered.
func (m *machine) queryEarly() {
	if m.s.Stage != Waiting || m.s.Hastened >= maxHastened || !m.s.queriesLeft(m.t) || !m.s.canQuery(&m.t.Contract) {
		m.do(Record{})
		return
	}
	m.s.Hastened++
	if next := m.s.Next; next.Action != policy.QueryStatus {
		m.s.Displaced = &next
	}
	m.wait(policy.QueryStatus, ByQuery, m.now.At)
}
