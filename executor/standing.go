package executor

import "github.com/recourse-pay/recourse/internal/stored"

// How a flow stands, in [journal.Row.Standing].
const (
	standsOpen      = stored.Open
	standsInDoubt   = stored.InDoubt
	standsEscalated = stored.Escalated
	standsSucceeded = stored.Succeeded
	standsFailed    = stored.Failed
	standsUnknown   = "" // the row is of a release that did not say
)

// Standings, in the order of a flow's life.
var (
	standings = []string{standsOpen, standsInDoubt, standsEscalated, standsSucceeded, standsFailed}
	unsettled = standings[:3]
)
