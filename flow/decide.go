package flow

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// decide asks the rules about an answer and does what the interlock leaves of it.
func (m *machine) decide(a *policy.Answer, fact policy.Fact) {
	waited := m.s.Next
	m.s.Displaced = nil
	var decided Decided
	until := m.judge(&decided, a, fact)
	want, v := &decided.Decision, &decided.Verdict
	m.do(decided)
	m.s.Class = decided.Fact.Class
	m.s.Reason = endReason(want, v)
	ends := v.Action == policy.MarkSucceeded || v.Action == policy.MarkFailed || v.Action == policy.Escalate
	switch {
	case ends && !until.After(m.now.At):
		m.end(v.Action, m.s.Reason)
	case m.s.Stage == Waiting && waited.Action == v.Action && waited.At.Before(until):
		m.wait(v.Action, v.Via, waited.At) // a webhook that changes nothing postpones nothing
	default:
		m.wait(v.Action, v.Via, until)
	}
}

// judge asks the rules, applies the interlock and the limits, and counts what was
// followed. It says when what was decided is carried out.
func (m *machine) judge(d *Decided, a *policy.Answer, fact policy.Fact) (until time.Time) {
	sit := &m.sit
	situation(sit, &m.s, a, fact, m.now.At)
	want, v := &d.Decision, &d.Verdict
	if sit.Fact.Effect != policy.Executed && m.s.reopened() {
		// Rules speak of the latest request; what became of those before it was certain.
		*want = policy.Decision{
			Action: policy.QueryStatus, Reason: "an earlier request, given up for certain, is open again", Schedule: m.t.Poll,
		}
	} else {
		*want = m.d.Decide(sit)
	}
	*v = settle(&m.s, m.t, want.Action, m.now.At)
	if want.Rule != "" {
		m.s.Fired = count(m.s.Fired, want.Rule)
	}
	d.At, d.Phase, d.Answer, d.Fact, d.InDoubt = m.now.At, a.Phase, a, sit.Fact, sit.InDoubt
	return m.until(v, want, a.RetryAfter)
}

// situation is what the rules see of an answer: the fact that the flow took it for,
// or a stronger one that the ledger holds.
func situation(sit *policy.Situation, s *State, a *policy.Answer, fact policy.Fact, at time.Time) {
	if i, _ := s.about(a); i >= 0 {
		id := &s.Ledger[i]
		if /*guard:rules-see-settled*/ id.Effect.Settled() && !fact.Effect.Settled() {
			fact = s.present(id)
		}
		if /*guard:rules-see-mismatch*/ id.Mismatch && fact.Effect == policy.Executed {
			fact.Class = policy.Mismatch // said once, it stays so
		}
	}
	if fact.Effect != policy.Executed {
		if id := s.executed(); /*guard:rules-see-execution*/ id != nil { // whatever this answer speaks of
			fact = id.Fact
			fact.Effect = policy.Executed
		}
	}
	switch {
	case fact.Class == policy.NotFound && fact.Effect != policy.Executed && s.earlierInDoubt():
		// To send it again would not help: it is not all that is open.
		fact.Effect, fact.Class = policy.Unknown, policy.Conflict
	case fact.Effect == policy.Executed && fact.Class != policy.Mismatch && /*guard:rules-see-conflict*/ !s.proved():
		// Something executed, and what, nobody can say: the rules are not to conclude from it.
		fact.Effect, fact.Class = policy.Unknown, policy.Conflict
	}
	sit.Payment, sit.Answer, sit.Fact, sit.InDoubt = &s.Payment, a, fact, s.InDoubt()
	sit.Attempt, sit.Queries, sit.Fired = s.Attempts, s.Queries, s.Fired
	sit.Elapsed, sit.At = at.Sub(s.Started), at
}

// present is what is known of the payment when nothing new was said of an identity that is
// settled. Of one before the last that is nothing: what counts is what became of the last.
func (s *State) present(id *Identity) policy.Fact {
	switch last := s.current(); {
	case id.Effect == policy.Executed || id == last:
		return id.Fact
	case last.Effect.Settled():
		return last.Fact
	default:
		return policy.Fact{Class: policy.Processing}
	}
}

// until is when a verdict is carried out: the schedule's next wait, no shorter than
// the provider asked for, and not past the flow's time.
func (m *machine) until(v *Verdict, want *policy.Decision, retryAfter time.Duration) time.Time {
	asks := v.Action == policy.QueryStatus || v.Action.Sends()
	if want.Schedule == nil && !asks {
		return m.now.At // most ends
	}
	over := m.s.limit(m.t)
	if v.Via == ByWebhook {
		v.Delay = over.Sub(m.now.At)
		return over
	}
	sched := want.Schedule
	if v.Action != want.Action || v.Property != "" || v.Limit != "" {
		sched = nil // it was meant for another action
		if asks {
			sched = m.t.Poll
		}
	}
	var spread time.Duration
	if sched != nil {
		v.Schedule = sched.Name
		v.Delay = sched.Delay(m.s.Waits.Of(sched.Name))
		spread = sched.Jittered(v.Delay, m.now.Jitter)
		m.s.Waits = count(m.s.Waits, sched.Name)
	}
	if asks {
		floor := min(retryAfter, m.t.Limits.MaxRetryAfter)
		v.Delay, spread = max(v.Delay, floor), max(spread, floor)
	}
	at := m.now.At.Add(spread)
	switch {
	case !at.After(over):
		return at
	case /*guard:wait-knows-the-time*/ v.Action.Sends():
		// It could not be sent in time any more.
		v.Action, v.Limit, v.Delay, v.Schedule = m.s.exhausted(), "max_elapsed", 0, ""
		return m.now.At
	case over.After(m.now.At):
		return over
	}
	return m.now.At
}

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

func (m *machine) wait(a policy.Action, via Via, until time.Time) {
	if until.Before(m.now.At) {
		until = m.now.At
	}
	m.s.Stage, m.s.Next = Waiting, Next{Action: a, At: until, Via: via}
	m.do(Record{})
	m.do(Wait{Until: until, Action: a, Via: via})
}

// due carries out what was waited for, if it is still allowed: the ledger may have
// changed meanwhile.
func (m *machine) due(e Due) {
	next := m.s.Next
	if next.Via == ByWebhook {
		m.end( /*guard:no-webhook-is-no-proof*/ m.s.exhausted(), "max_elapsed spent: no webhook came")
		return
	}
	if p := breaks(&m.s, &m.t.Contract, next.Action, m.now.At); /*guard:due-is-checked-again*/ p != "" {
		wanted := policy.Decision{Action: next.Action, Reason: m.s.Reason}
		next.Action, next.Via = fallback(&m.s, m.t, m.now.At)
		m.do(Decided{
			At: m.now.At, Due: true, Answer: &policy.Answer{}, Fact: m.s.current().Fact, InDoubt: m.s.InDoubt(), Decision: wanted,
			Verdict: Verdict{Action: next.Action, Via: next.Via, Property: p},
		})
	}
	if /*guard:due-knows-the-time*/ next.Action.Sends() && !m.now.At.Before(m.s.limit(m.t)) {
		m.end(m.s.exhausted(), "max_elapsed spent: "+m.s.Reason)
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
		m.s.Ledger = append(m.s.Ledger, Identity{OrderID: m.s.current().OrderID, RequestID: e.RequestID, ProviderID: keep(&m.s)})
		m.send(next.Action)
	case policy.RetryNewOrder:
		if e.OrderID == "" {
			m.s.NewOrderPossible = true
			m.end(policy.MarkFailed, "a new order is possible, and nobody minted its id")
			return
		}
		m.s.Ledger = append(m.s.Ledger, Identity{OrderID: e.OrderID, RequestID: e.RequestID})
		m.send(next.Action)
	case policy.MarkSucceeded, policy.MarkFailed, policy.Escalate:
		m.end(next.Action, m.s.Reason)
	}
}

// keep returns the provider's id for operations on something that it named before.
func keep(s *State) string {
	if op := s.Payment.Operation; op == policy.Capture || op == policy.Cancel {
		return s.Ledger[0].ProviderID
	}
	return ""
}

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

func (m *machine) finish(o policy.Outcome, reason string) {
	m.s.Stage, m.s.Next, m.s.Outcome, m.s.Reason = Ended, Next{}, o, reason
	m.do(Record{})
	m.do(Finish{Outcome: o, Reason: reason})
}
