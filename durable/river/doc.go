// Package river lets the jobs of River (github.com/riverqueue/river) wake the flows of an executor whose journal is
// that of journal/postgres. It is for teams that run River already:
//
//   - [StartTx] stores a payment's flow, and a job that begins it, in the caller's transaction. The order, the flow and the
//     jobs of the caller's own are committed together or not at all.
//   - [Worker] works those jobs: a job looks at its flow when that is due, and stays until the flow has ended.
//   - [Waker] gives flows that were begun without StartTx a job as soon as they wait.
//   - River's own tools (riverui, its metrics) show each open flow as a job. Its arguments are the flow's id and a
//     description without keys, amounts or secrets. riverui has no authentication of its own.
//
// Guarantees: a job only pokes. What is sent, when, and whether at all is the flow's to say, and the journal's lease and
// version are the truth. So a job that is lost, doubled, cancelled, late, or completed too early changes nothing about
// money. What wakes a flow for certain is the sweep of each executor ([executor.Config.Sweep]), with or without jobs.
//
// How River behaves, and what that means here (each with a test; River v0.51):
//
//   - Unique jobs swallow wake-ups: an insert beside a running or snoozed one is skipped without an error. A job here
//     carries no time: it reads the row before it snoozes. A skipped insert brings a job that would come later forward.
//   - The rescuer does not fence: a worker that was paused and wakes ends the run of its rescuer. A job here returns nil
//     only when its flow has ended, and that is true for the other run, too.
//   - A snooze or a time of more than 5 s needs River's leader, whose lease may be that of a dead process. A short
//     snooze does not, and the sweep needs neither.
//   - A time in the past as the next retry means attempt⁴ seconds. It is always in the future here.
//   - A running job that is cancelled and then snoozes is cancelled for good. The flow goes on without it, and its next
//     wait gives it another one.
//   - StopAndCancel ends the job's context, but not a call: that has the executor's, and a job does not send.
//   - A completion may be executed late, and end a later run. The flow goes on without its job.
//
// Stop in this order: the River client, the executor, the journal. Behind a transaction pooler the client needs
// PollOnly, for it hears no notifications there, and its pool default_query_exec_mode=exec in the URL: with pgx's default an
// insert fails, since a prepared statement is in another session.
//
// What must not enter: a decision about a payment. The package is a module of its own, so that others do not download
// River.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package river
