package executor

import (
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// How a flow stands, in [journal.Row.Standing]. A flow that is open and in doubt stands so from its
// first send that may still execute, any other from the step that brought it there.
const (
	standsOpen      = "open"     // nothing that was sent may still execute
	standsInDoubt   = "in_doubt" // open, and a request is under way or may have executed
	standsEscalated = "escalated"
	standsSucceeded = "succeeded"
	standsFailed    = "failed"
	standsUnknown   = "" // the row is of a release that did not say
)

// Standings, in the order of a flow's life.
var (
	standings = []string{standsOpen, standsInDoubt, standsEscalated, standsSucceeded, standsFailed}
	unsettled = standings[:3]
)

// standing says how a flow stands, and since when. at is now; before is how it stood.
func standing(s *flow.State, before rowState, at time.Time) (how string, since time.Time) {
	switch {
	case s.Stage != flow.Ended && s.InDoubt():
		return standsInDoubt, firstDoubt(s.Ledger)
	case s.Stage != flow.Ended:
		how = standsOpen
	case s.Outcome == policy.Succeeded:
		how = standsSucceeded
	case s.Outcome == policy.Failed:
		how = standsFailed
	default:
		how = standsEscalated
	}
	if before.standing == how {
		return how, before.since
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
