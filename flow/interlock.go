package flow

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Property names what an action would have broken.
type Property string

// The properties that the interlock guards. S4 is kept by the limits, and S5 is one of the rules.
const (
	S1 Property = "S1" // at most one execution
	S2 Property = "S2" // never failed while money moved or can
	S3 Property = "S3" // never succeeded without proof, of this amount
	s6 Property = "S6" // never succeeded when it is disputed
)

// breaks says which property an action would break now; empty: none.
func breaks(s *State, c *policy.Contract, a policy.Action, now Moment) Property {
	switch a {
	case policy.MarkSucceeded:
		if /*guard:success-needs-proof*/ !s.proved() {
			return S3
		}
		if /*guard:success-is-not-disputed*/ s.disputed() {
			return s6
		}
	case policy.MarkFailed:
		if /*guard:failure-needs-certainty*/ !s.allNotExecuted() {
			return S2
		}
	case policy.RetryNewRequest, policy.RetryNewOrder:
		if /*guard:new-request-needs-certainty*/ !s.allNotExecuted() {
			return S1
		}
	case policy.RetrySame:
		if /*guard:repeat-is-safe*/ !s.mayRepeat(c, now.forWindows()) {
			return S1
		}
	case policy.QueryStatus, policy.Escalate:
	}
	return ""
}

// mayRepeat reports whether the last identity may be sent once more. It may if it is known not
// to have executed, or if the provider dedupes it now; and if no other identity is in doubt,
// because the repeat would be a second execution beside that one.
func (s *State) mayRepeat(c *policy.Contract, at time.Time) bool {
	last := len(s.Ledger) - 1
	for i := range s.Ledger {
		id := &s.Ledger[i]
		switch {
		case id.Sends == 0 || id.Effect == policy.NotExecuted:
		case i == last && /*guard:repeat-of-executed*/ !id.Effect.Settled() && /*guard:repeat-needs-dedupe*/ s.replaySafe(c, id, at):
		default:
			/*guard:other-identities-are-certain*/ return /*guard:every-identity-is-checked*/ false
		}
	}
	return true
}

// replaySafe reports whether the provider dedupes a repeat of an identity's request now. The time
// for which it does belongs to the identifier by which it does: where it dedupes by the order alone, the
// order's first request begins it, whichever identity that was sent under.
func (s *State) replaySafe(c *policy.Contract, id *Identity, at time.Time) bool {
	first := id.FirstSent
	if !slices.Contains(c.Dedupe, policy.RequestID) {
		for i := range s.Ledger {
			other := &s.Ledger[i]
			if other.Sends > 0 && other.OrderID == id.OrderID && /*guard:window-of-the-order*/ other.FirstSent.Before(first) {
				first = other.FirstSent
			}
		}
	}
	return c.ReplaySafe(first, at)
}

// fallback returns what is done in place of an action that would break a property: the first of
// these that contract and limits allow: a query; the same request again where a replay is safe; a
// wait for the webhook; a person.
func fallback(s *State, t *policy.Terms, now Moment) (policy.Action, Via) {
	switch {
	case /*guard:dispute-is-not-asked-about*/ s.proved() && s.disputed():
		return policy.Escalate, "" // it executed, and no answer takes a dispute back
	case /*guard:fallback-knows-the-time*/ !now.At.Before(s.limit(t)):
		return s.exhausted(), ""
	case /*guard:fallback-counts-queries*/ s.queriesLeft(t) && /*guard:fallback-can-query*/ s.canQuery(&t.Contract):
		return policy.QueryStatus, ByQuery
	case /*guard:fallback-counts-sends*/ s.sendsLeft(t, now) && s.InDoubt() && /*guard:fallback-repeats-safely*/ s.mayRepeat(&t.Contract, now.forWindows()):
		return policy.RetrySame, ""
	case t.Contract.Webhook && s.InDoubt():
		return policy.QueryStatus, ByWebhook
	}
	return s.exhausted(), ""
}

// sendsLate names the limit of time that forbids a send now; empty: none does.
func (s *State) sendsLate(t *policy.Terms, now Moment) string {
	switch {
	case !now.At.Before(s.limit(t)):
		return "max_elapsed"
	case s.tooLate(now):
		return notAfter
	}
	return ""
}

// tooLate reports whether the caller's own limit forbids to send now.
func (s *State) tooLate(now Moment) bool {
	return !s.NotAfter.IsZero() && /*guard:not-after*/ !now.latest().Before(s.NotAfter)
}

// sendsLeft reports whether the flow may send at all: its attempts are not used up, and the
// payment was not withdrawn.
func (s *State) sendsLeft(t *policy.Terms, now Moment) bool {
	return !s.tooLate(now) && /*guard:withdrawn-sends-nothing*/ s.Withdrawn == "" && /*guard:sends-are-counted*/ s.Attempts < t.Limits.MaxAttempts
}

// queriesLeft reports whether the limit of queries is not used up.
func (s *State) queriesLeft(t *policy.Terms) bool {
	return /*guard:queries-are-counted*/ s.Queries < t.Limits.MaxQueries
}

// canQuery reports whether the contract has a query for what is known of the last identity: some
// providers can be asked only by an id that they gave themselves.
func (s *State) canQuery(c *policy.Contract) bool {
	return /*guard:query-has-an-identifier*/ c.QueryIdentifier(s.ownID(s.current()) != "") != ""
}

// limit returns when the flow's time is over.
func (s *State) limit(t *policy.Terms) time.Time { return s.Started.Add(t.Limits.MaxElapsed) }

// settle turns what the rules want into what is done: the interlock first, then the limits. The
// order matters for S5: what a limit stops is no correction of the rules.
func settle(s *State, t *policy.Terms, want policy.Action, now Moment) Verdict {
	v := Verdict{Action: want}
	late := (want.Sends() || want == policy.QueryStatus) && !now.At.Before(s.limit(t))
	if /*guard:send-knows-the-time*/ want.Sends() && late { // whichever other reason there is: a spent limit is no fault of the rules
		v.Action, v.Limit = s.exhausted(), "max_elapsed"
		return v
	}
	if v.Property = breaks(s, &t.Contract, want, now); /*guard:interlock*/ v.Property != "" {
		v.Action, v.Via = fallback(s, t, now)
		if v.Action == policy.Escalate && v.Property != s6 && !s.queriesLeft(t) && s.canQuery(&t.Contract) {
			v.Limit = "max_queries"
		}
		return v
	}
	switch {
	case /*guard:query-knows-the-time*/ want == policy.QueryStatus && late:
		v.Limit = "max_elapsed"
	case /*guard:send-counts-sends*/ want.Sends() && !s.sendsLeft(t, now):
		v.Limit = s.whyNoSend(now)
		if /*guard:spent-send-in-doubt*/ s.InDoubt() {
			v.Action, v.Via = fallback(s, t, now)
			return v
		}
	case /*guard:query-needs-an-identifier*/ want == policy.QueryStatus && !s.canQuery(&t.Contract):
		// There is nothing to ask by. The rest of the fallback's order is left.
		v.Action, v.Via = fallback(s, t, now)
		return v
	case /*guard:query-counts-queries*/ want == policy.QueryStatus && !s.queriesLeft(t):
		v.Limit = "max_queries"
	case want == policy.QueryStatus:
		v.Via = ByQuery
		return v
	default:
		return v
	}
	v.Action = s.exhausted()
	return v
}

// withdrawn stands in the place of a limit after the caller has withdrawn the payment.
const withdrawn = "withdrawn"

// notAfter stands in the place of a limit when the caller wants nothing sent any more at this time.
const notAfter = "not_after"

// whyNoSend names what sendsLeft found to be spent.
func (s *State) whyNoSend(now Moment) string {
	switch {
	case s.Withdrawn != "":
		return withdrawn
	case s.tooLate(now):
		return notAfter
	}
	return "max_attempts"
}

// exhausted returns how a flow ends when its limits are spent: failed only when it is certain that
// nothing executed, else in the hands of a person.
func (s *State) exhausted() policy.Action {
	if /*guard:spent-is-failed-when-certain*/ s.allNotExecuted() {
		return policy.MarkFailed
	}
	return policy.Escalate
}
