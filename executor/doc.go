// Package executor carries payments to their end in a process: it makes the calls through
// the merchant's own client, follows the decisions of the rules, waits by their schedules on
// backoff's loop, writes down what it is about to do before it does it, and after a crash
// finds out instead of sending again.
//
// [Executor.Do] is one payment and its outcome; [Executor.Start] returns a [Handle] at once,
// for payments that wait for a person. [Executor.Resume] picks up what another process left,
// [Executor.Notify] takes webhooks, [Executor.Resolve] the word of people and reconciliation,
// and [Executor.Shadow] only watches. [Retry] is backoff's loop, mended, for calls that are
// no payments.
//
// What may be done is not decided here. That is package flow, a pure machine: this package is
// its clock, its randomness, its network and its disk, and nothing else. It knows no provider
// and no rule; both reach it through [Rules].
//
// # What is on disk when
//
// With a journal, a flow's row is on stable storage before each send, when an outcome is
// told, and when Notify, Resolve and Withdraw return. What lies between (an answer that leads
// to a wait, a query) is stored in order and soon, and not waited for: if it is lost with the
// power, the flow asks again. An escalation and an alert are told until somebody takes them,
// by the next process if need be: at least once.
//
// # A flow's two enemies
//
// A call that does not return is ended five seconds past its deadline, as a silence, and its
// flow goes on without it (Do itself returns when its client does). A process that was paused does not send when it wakes after the
// deadline that stands in the journal; docs/durability.md names what is left of that window,
// and what closes it.
package executor
