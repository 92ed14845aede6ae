package stored

import (
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// How a flow stands, in [journal.Row.Standing]. A flow that is open and in doubt stands so from its
// first send that may still execute, any other from the step that brought it there.
const (
	Open      = "open"     // nothing that was sent may still execute
	InDoubt   = "in_doubt" // open, and a request is under way or may have executed
	Escalated = "escalated"
	Succeeded = "succeeded"
	Failed    = "failed"
)

// Never is the due time of a flow at which no process has to look. A row that is due is not pruned, so its payment
// key stays refused.
var Never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Standing says how a flow stands, and since when. at is now; before and since are how it stood.
func Standing(s *flow.State, before string, since, at time.Time) (string, time.Time) {
	how := Escalated
	switch {
	case s.Stage != flow.Ended && s.InDoubt():
		return InDoubt, firstDoubt(s.Ledger)
	case s.Stage != flow.Ended:
		how = Open
	case s.Outcome == policy.Succeeded:
		how = Succeeded
	case s.Outcome == policy.Failed:
		how = Failed
	}
	if before == how {
		return how, since
	}
	return how, at
}

// firstDoubt is when the first request that may still execute was first sent.
func firstDoubt(ledger []flow.Identity) (first time.Time) {
	for i := range ledger {
		if id := &ledger[i]; id.Sends > 0 && !id.Effect.Settled() && (first.IsZero() || id.FirstSent.Before(first)) {
			first = id.FirstSent
		}
	}
	return first
}

// NoneExecuted reports whether every identity that was sent is known not to have executed.
func NoneExecuted(ledger []flow.Identity) bool {
	for i := range ledger {
		if id := &ledger[i]; id.Sends > 0 && (id.Effect != policy.NotExecuted || id.Contested) {
			return false
		}
	}
	return true
}

// Tombstone is what the journal keeps of a flow when it prunes the row: which payment it was, and
// that it executed. A paid key is never free again. Nil: nothing executed, or the flow has no key.
// The request has the digest of its data in place of the data.
func Tombstone(q Request, s *flow.State) ([]byte, error) {
	if s.Stage != flow.Ended || s.Payment.Key == "" || NoneExecuted(s.Ledger) {
		return nil, nil
	}
	kept := flow.State{
		Payment: s.Payment, Stage: s.Stage, Started: s.Started, Target: s.Target,
		Outcome: s.Outcome, Reason: s.Reason, Class: s.Class, Attempts: s.Attempts, Queries: s.Queries,
	}
	kept.Payment.Tags = nil
	for i := range s.Ledger {
		if !NoneExecuted(s.Ledger[i : i+1]) {
			kept.Ledger = append(kept.Ledger, s.Ledger[i])
		}
	}
	return (&Flow{V: Version, Request: q, State: StateOf(&kept)}).Sealed()
}

// Identities joins the ledgers of flows. If several know one identity, the worst entry counts:
// that it executed, or may have.
func Identities(ledgers ...[]flow.Identity) []flow.Identity {
	var all []flow.Identity
	for _, ledger := range ledgers {
		for _, id := range ledger {
			i := IndexOf(all, &id)
			switch {
			case id.Sends == 0:
			case i < 0:
				all = append(all, id)
			case NoneExecuted(all[i:i+1]) || id.Effect == policy.Executed:
				all[i] = id
			}
		}
	}
	return all
}

// IndexOf is the place of an identity in a ledger; -1: it is not there.
func IndexOf(ledger []flow.Identity, id *flow.Identity) int {
	return slices.IndexFunc(ledger, func(other flow.Identity) bool {
		return other.OrderID == id.OrderID && other.RequestID == id.RequestID
	})
}

// AddName appends a name that is not in the list. Zeros alone are no name: providers write 0 before
// they have given an id, and it would be the name of every such flow.
func AddName(all []string, text string) []string {
	if strings.Trim(text, "0") == "" || slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}
