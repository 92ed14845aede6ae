package simulate

import (
	"github.com/recourse-pay/recourse/policy"
)

// knowledge is how much the recording proves of a simulated flow.
type knowledge uint8

const (
	simulated         knowledge = iota // it stayed on the record to its end
	provedExecuted                     // it left, and reconciliation found the one execution of what it had sent
	provedNotExecuted                  // it left, and reconciliation found no execution of what it had sent
	refused                            // it did not start: its payment key was taken, so the journal refuses it
	unknown                            // it left, and what it had sent may have executed or not
)

// knowledgeOf says what the recording proves of a flow that left it. Only a flow that left it by
// asking is known: asking changes nothing at the provider, so reconciliation speaks of its sends.
func (r *record) knowledgeOf(d policy.Decider, e *ending) knowledge {
	switch e.departure {
	case onRecord:
		return simulated
	case keyTaken:
		return refused
	case queriesMore:
	default:
		return unknown
	}
	if !r.hasTruth || len(r.unsent) > 0 {
		return unknown
	}
	own, either := 0, 0
	for i := range e.ledger {
		o, later := r.executedUnder(d, &e.ledger[i], e.sends)
		own, either = own+o, either+later
	}
	switch {
	case r.hasNamelessTruth() || either > 0 || own > 1:
		return unknown
	case own == 1:
		return provedExecuted
	case r.replaced(d, e):
		return unknown
	}
	return provedNotExecuted
}

// hasNamelessTruth reports whether reconciliation found an execution without an order or a request.
func (r *record) hasNamelessTruth() bool {
	for i := range r.truth {
		if x := &r.truth[i]; x.orderID == "" || x.requestID == "" {
			return true
		}
	}
	return false
}

// replaced reports whether the recorded client sent another request under an order of the flow, which the
// flow did not. It may have replaced what was sent before, so that it did not execute.
func (r *record) replaced(d policy.Decider, e *ending) bool {
	for i := e.sends; i < len(r.sends); i++ {
		s := &r.sends[i]
		for k := range e.ledger {
			if id := &e.ledger[k]; id.OrderID == s.orderID && id.RequestID != s.requestID && !r.without(d, s) {
				return true
			}
		}
	}
	return false
}

// ends is a set of ways in which a flow may end.
type ends uint8

const (
	maySucceed ends = 1 << policy.Succeeded
	mayFail    ends = 1 << policy.Failed
	mayAsk     ends = 1 << policy.Escalated
	mayOpen    ends = 1 << policy.Open
	mayAny          = maySucceed | mayFail | mayAsk | mayOpen
)

// endsOf is how a flow with these rules may end, whatever the provider answers at the times at which the
// flow asks, if its answers prove what the catalogue says:
//
//   - a flow that waited for no time of its own and came to a result ends as simulated: the recording holds
//     all that it gets. An escalated one may still be settled, by a webhook that the recording lost; and one that a webhook
//     settled may not get it where the recorded client had asked before, and it had not;
//   - one whose first send executed before there was a second is never failed;
//   - every other may end in every way: it may send again, at another time than the recorded client.
//
// One that would not start because its key is taken ends in no way; where the flow that has the key may fail,
// it may start after all.
func (r *record) endsOf(e *ending, k knowledge, before ends) ends {
	switch {
	case k == refused && before&mayFail == 0:
		return 0
	case k == simulated && !e.timed && !e.noticed && !e.stillOpen && e.outcome != policy.Escalated:
		return 1 << e.outcome
	case r.firstExecuted():
		return maySucceed | mayAsk | mayOpen
	}
	return mayAny
}

// firstExecuted reports whether reconciliation proves that the first send executed, and nothing else of
// the flow.
func (r *record) firstExecuted() bool {
	if !r.hasTruth || len(r.truth) != 1 || len(r.unsent) > 0 || len(r.sends) == 0 {
		return false
	}
	x, first := &r.truth[0], &r.sends[0]
	if x.undated || x.orderID != first.orderID || x.requestID != first.requestID || r.otherAmount(r.wasSent) {
		return false
	}
	return len(r.sends) == 1 || x.at < r.sends[1].at
}

// harms are the kinds of harm that a flow which left the record may come to, whatever the provider
// answers: no rule, no fact of a catalogue and no interlock is trusted here.
func (k knowledge) harms(e ends) []harmKind {
	switch {
	case k == refused && e == 0:
		return nil
	case k == refused:
		return harmKinds
	}
	switch k {
	case provedExecuted:
		return []harmKind{executedTwice, failedThoughExecuted, succeededOther, succeededDisputed}
	case provedNotExecuted, unknown:
		return harmKinds
	case simulated, refused:
	}
	return nil
}

// bound is what a number is at least and at most.
type bound struct {
	Least int64 `json:"least"`
	Most  int64 `json:"most"`
}

// reach is the bounds of what these rules come to. What the recording proves is in both numbers; what
// it does not prove is in Most alone.
type reach struct {
	Succeeded bound `json:"succeeded"`
	Failed    bound `json:"failed"`
	Escalated bound `json:"escalated"`
	Open      bound `json:"open"`

	ExecutedTwice              bound `json:"executed_twice"`
	FailedThoughExecuted       bound `json:"failed_though_executed"`
	SucceededThoughNotExecuted bound `json:"succeeded_though_not_executed"`
	SucceededWithAnotherAmount bound `json:"succeeded_with_another_amount"`
	SucceededThoughDisputed    bound `json:"succeeded_though_disputed"`
}

// bounds adds up ends and harms, in flows or in money.
type bounds struct {
	least, most [policy.Escalated + 1]int64
	harms       map[harmKind]int64 // that are possible beside those that are simulated
}

// add takes a flow that weighs one, or its amount.
func (b *bounds) add(e ends, k knowledge, weight int64) {
	for o := range b.most {
		if e&(1<<o) == 0 {
			continue
		}
		b.most[o] += weight
		if e == 1<<o {
			b.least[o] += weight
		}
	}
	for _, h := range k.harms(e) {
		if b.harms == nil {
			b.harms = map[harmKind]int64{}
		}
		b.harms[h] += weight
	}
}

func (b *bounds) join(o *bounds) {
	for i := range b.most {
		b.least[i] += o.least[i]
		b.most[i] += o.most[i]
	}
	for h, n := range o.harms {
		if b.harms == nil {
			b.harms = map[harmKind]int64{}
		}
		b.harms[h] += n
	}
}

// report puts the bounds around the harms that are simulated.
func (b *bounds) report(simulated map[harmKind]int64) reach {
	end := func(o policy.Outcome) bound { return bound{b.least[o], b.most[o]} }
	harm := func(h harmKind) bound { return bound{simulated[h], simulated[h] + b.harms[h]} }
	return reach{
		end(policy.Succeeded), end(policy.Failed), end(policy.Escalated), end(policy.Open),
		harm(executedTwice), harm(failedThoughExecuted), harm(succeededThoughNot), harm(succeededOther), harm(succeededDisputed),
	}
}
