package simulate

import (
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// harmKind is what went wrong with a payment, by what reconciliation found.
type harmKind string

const (
	executedTwice        harmKind = "executed_twice"
	failedThoughExecuted harmKind = "failed_though_executed"
	succeededThoughNot   harmKind = "succeeded_though_not_executed"
	succeededOther       harmKind = "succeeded_with_another_amount"
	succeededDisputed    harmKind = "succeeded_though_disputed"
)

// harmKinds are all kinds, in the order of a report.
var harmKinds = []harmKind{executedTwice, failedThoughExecuted, succeededThoughNot, succeededOther, succeededDisputed}

// harm is the first mistake of the recorded client in a group, and the answer before it.
type harm struct {
	kind    harmKind
	record  *record
	cause   *call   // the last answer before the mistake; nil: there was none
	causeOf *record // the flow of that answer
	rule    ruleKey // the rule that met the same answer in the simulation
}

// findHarm looks at what the recorded client did; nil when nothing went wrong.
func findHarm(by *binder, records []record) *harm {
	total := 0
	for i := range records {
		r := &records[i]
		if len(r.sends) == 0 {
			continue // it is in no column either
		}
		c := r.conclusion(by.of(&r.payment))
		n := c.executions
		if total+n >= 2 {
			return newHarm(executedTwice, r, records[:i+1], r.secondSend(total))
		}
		total += n
		if !r.ended {
			continue
		}
		if kind := wrong(r, c); kind != "" {
			return newHarm(kind, r, records[i:i+1], r.endAt)
		}
	}
	return nil
}

// conclusion is how a flow ended, beside what happened to the money.
type conclusion struct {
	outcome    policy.Outcome
	executions int
	other      bool // with another amount than was asked for
	disputed   bool // an answer before the end said so
}

// wrong compares an outcome with what happened.
func wrong(r *record, c conclusion) harmKind {
	switch {
	case c.outcome == policy.Failed && c.executions > 0:
		return failedThoughExecuted
	case c.outcome != policy.Succeeded:
		return ""
	case c.executions == 0 && r.hasTruth && len(r.unsent) == 0:
		return succeededThoughNot
	case c.disputed:
		return succeededDisputed
	case c.other:
		return succeededOther
	}
	return ""
}

// conclusion is that of the recorded client. A judge works it out once.
func (r *record) conclusion(d *judge) conclusion {
	if r.concludedBy == d {
		return r.concluded
	}
	c := conclusion{outcome: r.outcome, executions: r.executions(d)}
	if r.outcome == policy.Succeeded { // else it does not matter
		c.other, c.disputed = r.otherAmount(r.wasSent), r.disputedBefore(d, r.endAt)
	}
	r.concluded, r.concludedBy = c, d
	return c
}

// otherAmount reports whether reconciliation found executions, and neither one of them nor all
// together are of the amount that was asked for. An amount that is not said is not compared.
func (r *record) otherAmount(counts func(*execution) bool) bool {
	asked := r.payment.Amount
	if asked == 0 {
		return false
	}
	sum, found := int64(0), false
	for i := range r.truth {
		x := &r.truth[i]
		if !counts(x) {
			continue
		}
		if x.amount == 0 || x.amount == asked {
			return false
		}
		sum, found = sum+x.amount, true
	}
	return found && sum != asked
}

// disputedBefore reports whether an answer that arrived by a time said that the payment is disputed.
func (r *record) disputedBefore(d policy.Decider, end moment) bool {
	for i := range r.sends {
		if c := &r.sends[i]; c.received() <= end && r.proves(d, c).Class == policy.Disputed {
			return true
		}
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		for i := range calls {
			if c := &calls[i]; c.received() <= end && r.proves(d, c).Class == policy.Disputed && r.sentUnder(c) != nil {
				return true
			}
		}
	}
	return false
}

func newHarm(kind harmKind, r *record, records []record, before moment) *harm {
	h := &harm{kind: kind, record: r}
	h.cause, h.causeOf = lastAnswer(records, before)
	return h
}

// secondSend is when the send left that brought the second execution. before is how
// many executions earlier flows had.
func (r *record) secondSend(before int) moment {
	if before > 0 || !r.hasTruth {
		if before > 0 && len(r.sends) > 0 {
			return r.sends[0].at
		}
		return r.lastSend()
	}
	truth := append([]execution(nil), r.truth...)
	sort.Slice(truth, func(i, j int) bool { return truth[i].at < truth[j].at })
	second := truth[1]
	for i := range r.sends {
		s := &r.sends[i]
		if i > 0 && s.orderID == second.orderID && s.requestID == second.requestID {
			return s.at
		}
	}
	return r.lastSend()
}

func (r *record) lastSend() moment {
	if len(r.sends) == 0 {
		return r.endAt
	}
	return r.sends[len(r.sends)-1].at
}

// lastAnswer finds the answer that arrived last before a time.
func lastAnswer(records []record, before moment) (last *call, by *record) {
	var at moment
	for i := range records {
		r := &records[i]
		for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
			for k := range calls {
				c := &calls[k]
				if received := c.received(); received <= before && (last == nil || received >= at) {
					last, by, at = c, r, received
				}
			}
		}
	}
	return last, by
}

// envelopes reports which codes of a provider only say that the request was received. Such a code
// is left out of a label, because the status beside it is more exact.
type envelopes func(code string) bool

// label names an answer for a table: its fault, its status with the reason, its code.
func (e envelopes) label(a *policy.Answer) string {
	code := a.Code
	if code != "" && (a.Status != "" || a.SubCode != "") && e(code) {
		code = ""
	}
	parts := make([]string, 0, 3)
	if a.Fault != policy.NoFault {
		return a.Fault.String()
	}
	if a.Status != "" && a.SubStatus != "" {
		parts = append(parts, a.Status+"/"+a.SubStatus)
	} else if a.Status != "" {
		parts = append(parts, a.Status)
	}
	for _, c := range []string{code, a.SubCode} {
		if c != "" {
			parts = append(parts, c)
		}
	}
	if len(parts) == 0 {
		return "no code"
	}
	return strings.Join(parts, " ")
}

func envelopesOf(catalogs *providers.Catalogs, provider string) envelopes {
	cat, err := catalogs.Get(provider)
	if err != nil {
		return func(string) bool { return false }
	}
	return cat.IsEnvelope
}
