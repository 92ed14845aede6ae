package flow

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// reply takes the answer of a call. A late one arrives after the flow has gone on, for example
// because of a webhook. It is evidence as any other, but it starts no action that belongs to the
// call that is under way now.
func (m *machine) reply(a *policy.Answer, stage Stage, asked time.Time, stale bool) (fits bool) {
	if m.s.Stage == stage && /*guard:stale-reply*/ !stale {
		m.answered(a, asked)
		return true
	}
	switch m.s.Stage {
	case New:
		return false
	case Ended:
		m.afterEnd(m.learn(a, asked, true))
	case Waiting:
		m.decide(a, m.learn(a, asked, true))
	case Sending, Querying:
		if fact := m.learn(a, asked, true); fact.Effect == policy.Executed && m.s.proved() {
			m.decide(a, fact) // the call under way has nothing left to find out
			break
		}
		m.do(Record{})
	}
	return true
}

// learn takes an answer into the ledger. It is not known when a late reply was asked for, so a
// late "not found" proves no absence.
func (m *machine) learn(a *policy.Answer, asked time.Time, late bool) policy.Fact {
	if late {
		asked = /*guard:late-query-proves-no-absence*/ time.Time{}
	}
	return addAnswer(m.d, m.t, &m.s, incoming{answer: a, at: m.now.At, asked: asked, ahead: m.now.forWindows().Sub(m.now.At), late: /*guard:late-reply-is-late*/ late})
}

// send starts a send under the last identity of the ledger. Record comes first: a process that
// dies after the send must find the identity in doubt when it restarts.
func (m *machine) send(why policy.Action) {
	id := m.s.current()
	id.Prior = policy.NotExecuted
	/*guard:first-sent-is-kept*/ if id.Sends > 0 {
		/*guard:prior-is-kept*/ id.Prior = id.Effect
	} else {
		id.FirstSent = m.now.At
	}
	id.Sends++
	/*guard:sent-copies-are-counted*/ id.Copies++
	/*guard:last-sent-is-kept*/ id.LastSent = m.now.latest()
	id.Deadline = /*guard:deadline-is-kept*/ m.now.At.Add(m.t.Contract.CallTimeout())
	if /*guard:send-is-in-doubt-again*/ id.Effect == policy.NotExecuted || id.Sends == 1 {
		id.Effect, id.Fact = policy.Unknown, policy.Fact{Class: policy.Processing}
	}
	m.s.Attempts++
	m.s.Stage, m.s.Next = Sending, Next{}
	/*guard:recorded-before-sent*/ m.do(Record{})
	give(m, &m.room.send, Send{Identity: id, Attempt: m.s.Attempts, Action: why, Deadline: id.Deadline})
}

// query starts a status query about the identity sent last. Contracts differ in what they can
// be asked by; State.AskedBy keeps it, because the answer speaks of all that it names.
func (m *machine) query() {
	id := m.s.current()
	m.s.Queries++
	m.s.Stage, m.s.Next, m.s.Asked = Querying, Next{}, m.now.At
	m.s.AskedBy = m.t.Contract.QueryIdentifier(m.s.ownID(id) != "")
	m.do(Record{})
	give(m, &m.room.ask, Ask{By: m.s.AskedBy, Identity: id, Query: m.s.Queries, Deadline: m.now.At.Add(m.t.Contract.CallTimeout())})
}

// answered takes the answer of the call under way and decides what is next.
func (m *machine) answered(a *policy.Answer, asked time.Time) {
	fact := m.learn(a, asked, false)
	if next := m.s.Displaced; next != nil && a.Phase == policy.Query {
		m.s.Displaced = nil
		if /*guard:displaced-is-checked*/ m.nothingNew() {
			m.wait(next.Action, next.Via, next.At) // the unverified webhook was no news
			return
		}
	}
	m.decide(a, fact)
}

// nothingNew reports whether this event left every identity's effect as it was.
func (m *machine) nothingNew() bool {
	for i := range m.was {
		if m.was[i].Effect != m.s.Ledger[i].Effect {
			return false
		}
	}
	return true
}
