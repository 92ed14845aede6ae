// Package executor makes payments in a process until they have ended. It calls the merchant's
// own client, follows the decisions of the rules, and waits by their schedules on backoff's loop.
// It writes each send ahead. After a crash it queries instead of sending again.
//
// [Executor.Do] makes one payment and returns its outcome. [Executor.Start] returns a [Handle]
// at once, for payments that wait for a person. [Executor.Resume] continues the flows of another
// process. [Executor.Notify] takes webhooks, [Executor.Resolve] the findings of people and
// reconciliation. [Executor.Shadow] only observes. [Retry] is backoff's loop with two mistakes
// corrected, for calls that are no payments.
//
// This package does not decide what may be done. Package flow does, a pure machine. This package
// is its clock, its randomness, its network and its disk. It knows no provider and no rule: both
// come through [Rules].
//
// # Parts
//
// A flow in memory is a run, in run.go: its state and its parts. row.go writes and reads what the
// journal has, in the form of package internal/stored. drive.go is the loop of the goroutine that drives it,
// call.go the call under way, waiters.go its callers, notices.go the hooks that are due.
// registry.go holds the indexes of all flows, keys.go the flows of one payment key, guard.go the
// budget and the breaker, resume.go the sweeper.
//
// The locks, in the order in which they are taken: run.mu, Executor.mu. Clients, hooks, observers, the
// journal and the caller's contexts are used without any of them: lock.go gives run.mu away while a row
// is written, queue.go has the goroutines of observers and OnError, and steady.go the deadlines.
//
// # What is on disk when
//
// With a journal, a flow's row is on stable storage before each send, when an outcome is
// returned, and when Notify, Resolve and Withdraw return. Steps between (an answer that leads to
// a wait, a query) are written in order and soon, but not waited for. If the power fails before,
// the flow queries again. OnEscalate and OnAlert are called until they return nil, by the next
// process if need be: at least once.
//
// # Hung calls and paused processes
//
// A call that does not return is given up five seconds after its deadline, as a timeout. Its flow
// goes on without it. A method whose context can end returns then, though a client, a hook, an observer or
// the journal stalls or panics: at most a tenth of a second later. A hook has a minute. A process that was paused does
// not send when it wakes after the deadline in the journal. docs/durability.md describes what is
// left of that window, and what closes it.
package executor
