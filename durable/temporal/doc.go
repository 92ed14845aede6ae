// Package temporal makes payments as workflows of Temporal, for teams that run one. It drives the same machine as the
// executor (package flow), with the same rules and the same clients.
//
// [Driver.Start] starts a payment's workflow, [Driver.Workers] work on it, [Driver.Notify] hands in webhooks,
// [Driver.Resolve] and [Driver.Withdraw] what people say, [Driver.Look] and [Driver.Story] show it. A workflow of one's own
// starts [Workflow] as a child, with the input of [Driver.Prepare].
//
// # What Temporal keeps, and what the journal
//
// Temporal keeps the flow between its steps, wakes it, and hands its calls to workers. It doesn't keep a request from being
// sent twice: a run that is reset does again what it did, a workflow that was terminated can be started again, and beyond the
// retention period nothing of a paid key is left. So each send first puts the flow's row into a [journal.Journal] that all
// workers share, by compare and set. Of all runs that ever come to one attempt, one gets its row, and sends. The others
// take the journal's row over, and query. The row has the form of an executor's, so AdminHandler of an executor that only
// looks can list the flows. The journal must not be one that an executor resumes.
//
// # What is recorded
//
// Each step of the machine is a local activity. Its result, the flow's next row and what is to be done, stands in the
// history, and a replay reads it there: neither other rules nor another release of package flow can break one. Time is the
// workflow's. Request ids are made of a number in the workflow's input and of the attempt, so that a run that was reset makes
// the same ones.
//
// The digest of the rules is pinned in the input, and each set has a task queue of its own. A payment is decided by the set
// that it began with, to its end. While no worker has that set it waits, and Temporal shows the backlog of its queue. So
// keep the old folder of rules beside the new one ([Options.Rules]) as long as payments of it are open. A payment whose
// workflow was terminated, or timed out, is the exception: [Driver.Start] makes a new input for it, with the first set of the
// process that starts it. Its row goes on, and what was sent and proved stays; what is decided from then on is decided by that set.
//
// # Calls
//
// A send and a query have one attempt each, with a timeout of their deadline and five seconds. Whatever is not an answer of
// the activity itself (a crash, a timeout, a worker that was stopped, none that took it) is a call without an answer: after
// a send, a query. There is no heartbeat: a worker that lives may send until the deadline, whether it is seen or not.
//
// Clients get no budget, breaker and bound here ([executor.Config] has them). Use the queue's rate limits instead
// (worker.Options.TaskQueueActivitiesPerSecond).
//
// # After the end
//
// A workflow completes when its payment has ended. What comes later (a late webhook, a person, a hook that fails) is the
// business of another workflow, which makes no call and works on the journal's row. So no late webhook starts a payment again.
//
// What must not enter: decisions about payments, and anything in workflow code that is not the same in each replay.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package temporal
