package flow

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// decide asks the rules about an answer, and carries out what the interlock lets pass.
func (m *machine) decide(a *policy.Answer, fact policy.Fact) {
	waited := m.s.Next
	m.s.Displaced = nil
	var decided Decided
	until := m.judge(&decided, a, fact)
	want, v := &decided.Decision, &decided.Verdict
	give(m, &m.room.decided, decided)
	m.s.Class = decided.Fact.Class
	m.s.Reason = endReason(want, v)
	ends := v.Action == policy.MarkSucceeded || v.Action == policy.MarkFailed || v.Action == policy.Escalate
	switch {
	case ends && !until.After(m.now.At):
		m.end(v.Action, m.s.Reason)
	case m.s.Stage == Waiting && waited.Action == v.Action && waited.At.Before(until):
		m.wait(v.Action, v.Via, waited.At) // an answer that changes nothing does not postpone the action
	default:
		m.wait(v.Action, v.Via, until)
	}
}

// judge asks the rules, applies the interlock and the limits, and counts the rule that was
// followed. It returns when the verdict is to be carried out.
func (m *machine) judge(d *Decided, a *policy.Answer, fact policy.Fact) (until time.Time) {
	sit := &m.sit
	situation(sit, &m.s, a, fact, m.now.At)
	want, v := &d.Decision, &d.Verdict
	if sit.Fact.Effect != policy.Executed && m.s.reopened() {
		// Rules speak of the latest request. They cannot know that an earlier one, which was certain
		// when the latest was sent, is open again: the flow finds out first.
		*want = policy.Decision{
			Action: policy.QueryStatus, Reason: "an earlier request, which was certain not to execute, is open again", Schedule: m.t.Poll,
		}
	} else {
		*want = m.d.Decide(sit)
	}
	*v = settle(&m.s, m.t, want.Action, m.now)
	if want.Rule != "" {
		m.fire(want.Rule)
	}
	d.At, d.Phase, d.Answer, d.Fact, d.InDoubt = m.now.At, a.Phase, a, sit.Fact, sit.InDoubt
	return m.until(v, want, a.RetryAfter)
}

// situation fills in what the rules see of an answer: the fact that the flow took from it, or a
// stronger one that the ledger holds. Rules that saw only the last answer could mark a payment
// failed that an earlier answer proved.
func situation(sit *policy.Situation, s *State, a *policy.Answer, fact policy.Fact, at time.Time) {
	if i, _ := s.identityOf(a); i >= 0 {
		id := &s.Ledger[i]
		if /*guard:rules-see-settled*/ id.Effect.Settled() && !fact.Effect.Settled() {
			fact = s.known(id)
		}
		if /*guard:rules-see-mismatch*/ id.Mismatch && fact.Effect == policy.Executed {
			fact.Class = policy.Mismatch // a mismatch stays one
		}
	}
	if fact.Effect != policy.Executed {
		if id := s.executed(); /*guard:rules-see-execution*/ id != nil { // an execution outweighs every other answer
			fact = id.Fact
			fact.Effect = policy.Executed
			if /*guard:rules-see-earlier-mismatch*/ id.Mismatch {
				fact.Class = policy.Mismatch
			}
		}
	}
	if /*guard:rules-see-dispute*/ fact.Effect == policy.Executed && fact.Class != policy.Mismatch && s.disputed() {
		fact.Class = policy.Disputed // a dispute stays one
	}
	switch {
	case fact.Class == policy.NotFound && fact.Effect != policy.Executed && s.earlierInDoubt():
		// A rule for "not found" would send this request again, but an earlier one is still open.
		fact.Effect, fact.Class = policy.Unknown, policy.Conflict
	case fact.Effect == policy.Executed && fact.Class != policy.Mismatch && /*guard:rules-see-conflict*/ !s.proved():
		// Something executed, but the ledger contradicts itself about what. The rules must not conclude
		// from it.
		fact.Effect, fact.Class = policy.Unknown, policy.Conflict
	}
	sit.Payment, sit.Answer, sit.Fact, sit.InDoubt = &s.Payment, a, fact, s.InDoubt()
	sit.Attempt, sit.Queries, sit.Fired = s.Attempts, s.Queries, s.Fired
	sit.Elapsed, sit.At = max(0, at.Sub(s.Started)), at // the clocks of two processes differ a little
}

// known returns what the rules see when an answer brings nothing new about a settled identity. If
// the identity is not the last one, that is the fact of the last: it decides about the payment.
func (s *State) known(id *Identity) policy.Fact {
	switch last := s.current(); {
	case id.Effect == policy.Executed || id == last:
		return id.Fact
	case last.Effect.Settled():
		return last.Fact
	default:
		return policy.Fact{Class: policy.Processing}
	}
}

// until returns when a verdict is carried out: after the schedule's next wait, no sooner than the
// provider's Retry-After asks for, and no later than the flow's time limit.
func (m *machine) until(v *Verdict, want *policy.Decision, retryAfter time.Duration) time.Time {
	callsProvider := v.Action == policy.QueryStatus || v.Action.Sends()
	if want.Schedule == nil && !callsProvider {
		return m.now.At // most ends have no schedule
	}
	limit := m.s.limit(m.t)
	if v.Via == ByWebhook {
		v.Delay = limit.Sub(m.now.At)
		return limit
	}
	sched := want.Schedule
	if v.Action != want.Action || v.Property != "" || v.Limit != "" {
		sched = nil // the rule's schedule was meant for another action
		if callsProvider {
			sched = m.t.Poll
		}
	}
	var delay time.Duration
	if sched != nil {
		v.Schedule = sched.Name
		v.Delay = sched.Delay(m.s.Waits.Of(sched.Name))
		delay = sched.Jittered(v.Delay, m.now.Jitter)
		m.s.Waits = m.plus(m.s.Waits, sched.Name)
	}
	if callsProvider {
		atLeast := min(retryAfter, m.t.Limits.MaxRetryAfter)
		v.Delay, delay = max(v.Delay, atLeast), max(delay, atLeast)
	}
	at := m.now.At.Add(delay)
	if /*guard:wait-knows-not-after*/ v.Action.Sends() && !m.s.NotAfter.IsZero() && at.After(m.s.NotAfter) {
		at = m.s.NotAfter // nothing is sent then, and what is in doubt is found out
	}
	switch {
	case !at.After(limit):
		return at
	case /*guard:wait-knows-the-time*/ v.Action.Sends():
		// The wait would end after the flow's time limit.
		v.Action, v.Limit, v.Delay, v.Schedule = m.s.exhausted(), "max_elapsed", 0, ""
		return m.now.At
	case limit.After(m.now.At):
		return limit
	}
	return m.now.At
}

// endReason returns the reason that stands in the result and in the trace.
func endReason(want *policy.Decision, v *Verdict) string {
	switch {
	case v.Limit == withdrawn:
		return "withdrawn: " + want.Reason
	case v.Limit != "":
		return v.Limit + " spent: " + want.Reason
	case v.Property != "":
		return fmt.Sprintf("the rules wanted %s, which %s forbids: %s", want.Action, v.Property, want.Reason)
	}
	return want.Reason
}

// wait stores what comes next and until when. The row is written before the wait begins: another
// process can take over and wait for the rest.
func (m *machine) wait(a policy.Action, via Via, until time.Time) {
	if until.Before(m.now.At) {
		until = m.now.At
	}
	m.s.Stage, m.s.Next = Waiting, Next{Action: a, At: until, Via: via}
	m.do(Record{})
	give(m, &m.room.wait, Wait{Until: until, Action: a, Via: via})
}

// due carries out what the flow waited for, if it is still allowed: a webhook or a person may
// have changed the ledger during the wait.
func (m *machine) due(e Due) {
	next := m.s.Next
	if next.Via == ByWebhook {
		m.end( /*guard:no-webhook-is-no-proof*/ m.s.exhausted(), "max_elapsed spent: no webhook came")
		return
	}
	if p := breaks(&m.s, &m.t.Contract, next.Action, m.now); /*guard:due-is-checked-again*/ p != "" {
		wanted := policy.Decision{Action: next.Action, Reason: m.s.Reason}
		next.Action, next.Via = fallback(&m.s, m.t, m.now)
		m.do(Decided{
			At: m.now.At, Due: true, Answer: &policy.Answer{}, Fact: m.s.current().Fact, InDoubt: m.s.InDoubt(), Decision: wanted,
			Verdict: Verdict{Action: next.Action, Via: next.Via, Property: p},
		})
	}
	if /*guard:due-knows-the-time*/ next.Action.Sends() && !m.now.At.Before(m.s.limit(m.t)) {
		m.end(m.s.exhausted(), "max_elapsed spent: "+m.s.Reason)
		return
	}
	if next.Action.Sends() && m.s.tooLate(m.now) {
		m.insteadOfSend(next, notAfter)
		return
	}
	switch next.Action {
	case policy.QueryStatus:
		if next.Via == ByWebhook {
			m.wait(next.Action, next.Via, m.s.limit(m.t))
			return
		}
		m.query()
	case policy.RetrySame:
		m.send(next.Action)
	case policy.RetryNewRequest:
		m.s.Ledger = append(m.s.Ledger, Identity{OrderID: m.s.current().OrderID, RequestID: e.RequestID, ProviderID: originalProviderID(&m.s)})
		m.send(next.Action)
	case policy.RetryNewOrder:
		if e.OrderID == "" {
			m.s.NewOrderPossible = true
			m.end(policy.MarkFailed, "a new order is possible, and no order id was supplied")
			return
		}
		m.s.Ledger = append(m.s.Ledger, Identity{OrderID: e.OrderID, RequestID: e.RequestID, ProviderID: originalProviderID(&m.s)})
		m.send(next.Action)
	case policy.MarkSucceeded, policy.MarkFailed, policy.Escalate:
		m.end(next.Action, m.s.Reason)
	}
}

// originalProviderID returns the provider's id that a capture, a cancel or a refund works on. It names
// the payment of before, so a new identity of the operation has it too: the client needs it to make the
// request.
func originalProviderID(s *State) string {
	switch s.Payment.Operation {
	case policy.Capture, policy.Cancel:
		return s.Ledger[0].ProviderID
	case policy.Refund:
		return s.Target
	default:
		return ""
	}
}

// end finishes the flow with the outcome of an action.
func (m *machine) end(a policy.Action, reason string) {
	switch a {
	case policy.MarkSucceeded:
		m.finish(policy.Succeeded, reason)
	case policy.MarkFailed:
		m.finish(policy.Failed, reason)
	default:
		m.finish(policy.Escalated, reason)
	}
}

// finish ends the flow, or settles an escalated one.
func (m *machine) finish(o policy.Outcome, reason string) {
	m.s.Stage, m.s.Next, m.s.Outcome, m.s.Reason = Ended, Next{}, o, reason
	m.do(Record{})
	give(m, &m.room.finish, Finish{Outcome: o, Reason: reason})
}
