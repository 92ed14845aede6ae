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
)

// harm is the first thing that the recorded client did wrong in a group, and the
// answer after which it did.
type harm struct {
	kind   harmKind
	record *record
	misled *call   // nil: nothing was heard before
	heard  *record // whose answer that is
	rule   ruleKey // the rule that met the same answer in the simulation
}

// findHarm looks at what the recorded client did; nil when nothing went wrong.
func findHarm(d policy.Decider, records []record) *harm {
	total := 0
	for i := range records {
		r := &records[i]
		if len(r.sends) == 0 {
			continue // it is in no column either
		}
		n := r.executions(d)
		if total+n >= 2 {
			return newHarm(executedTwice, r, records[:i+1], r.secondSend(total))
		}
		total += n
		if r.ended && r.outcome == policy.Failed && n > 0 {
			return newHarm(failedThoughExecuted, r, records[i:i+1], r.endAt)
		}
		if r.ended && r.outcome == policy.Succeeded && n == 0 && r.hasTruth {
			return newHarm(succeededThoughNot, r, records[i:i+1], r.endAt)
		}
	}
	return nil
}

func newHarm(kind harmKind, r *record, records []record, before moment) *harm {
	h := &harm{kind: kind, record: r}
	h.misled, h.heard = lastHeard(records, before)
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

// lastHeard finds the answer that came last before a time.
func lastHeard(records []record, before moment) (last *call, by *record) {
	var at moment
	for i := range records {
		r := &records[i]
		for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
			for k := range calls {
				c := &calls[k]
				if heard := c.at.plus(c.latency); heard <= before && (last == nil || heard >= at) {
					last, by, at = c, r, heard
				}
			}
		}
	}
	return last, by
}

// label names an answer for a table: its fault, its status with the reason, its code.
// heard says which codes only mean that the request was heard.
func label(a *policy.Answer, heard func(code string) bool) string {
	code := a.Code
	if code != "" && (a.Status != "" || a.SubCode != "") && heard(code) {
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

// heardBy returns what says which codes of a provider only mean that the request was
// heard.
func heardBy(catalogs *providers.Catalogs, provider string) func(string) bool {
	cat, err := catalogs.Get(provider)
	if err != nil {
		return func(string) bool { return false }
	}
	return cat.IsEnvelope
}
