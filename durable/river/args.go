package river

import (
	"fmt"

	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/policy"
)

// Queue is the queue of the jobs. A client that works them has it in its Config.Queues; MaxWorkers bounds how many
// flows are looked at once, not how many are open.
const Queue = "recourse"

// Args are the arguments of a job, and all that River's tools show of a flow.
type Args struct {
	Flow string `json:"flow" river:"unique"` // its id
	What string `json:"what,omitempty"`      // for people: the operation, the provider, the merchant
}

// Kind implements River's JobArgs.
func (Args) Kind() string { return "recourse_flow" }

// mostAttempts bounds the failed looks at a flow; a snooze is none. A job that has used them up is discarded.
const mostAttempts = 1000

// InsertOpts says that a flow has one job at most that is not over. Those that are over do not count: River would refuse
// a job to a flow for as long as it keeps a completed one.
func (Args) InsertOpts() queue.InsertOpts {
	return queue.InsertOpts{Queue: Queue, MaxAttempts: mostAttempts, UniqueOpts: queue.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

func newArgs(flow string, o policy.Operation, provider, merchant string) Args {
	return Args{Flow: flow, What: fmt.Sprintf("%s at %s for %s", o, provider, merchant)}
}
