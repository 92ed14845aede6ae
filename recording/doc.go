// Package recording writes what happens in production as a recording, the JSON Lines that
// `recourse simulate` reads, so that other rules can be tried tomorrow on what was answered
// today.
//
// A [Recorder] is an executor.Observer. It never holds a payment up: lines are made and
// written by one goroutine behind a queue of bounded size. When the queue fills, new flows are
// left out whole, so that those already begun can be written to their end; a flow that loses a
// line nevertheless is not written any further, because a gap would read like something that
// did not happen. [Recorder.Dropped] counts both.
//
// Lines come in the order of time, though a call is known only when it is over: a line waits
// for the calls that began before it. What waits is bounded too; a call that hangs comes late,
// which the reader puts right within a flow.
//
// Bodies are redacted by the names of their fields, at any depth, also in JSON inside strings,
// forms and URLs. Strings become "…redacted…" and numbers 0: secrets and keys, what is on a card
// or a bank account, names and addresses of people, links to pay by. See Options.Redact and
// Options.Keep. Whatever its field is called, what looks like a card number is replaced, save
// the payment's own identifiers and amount, which a simulation needs. A body that is neither
// JSON nor a form is replaced by its length and a hash. Free text is not understood: a name in
// the middle of a message stays. Identifiers, merchants and tags are written as they are.
//
// Deciding, retrying and reading recordings do not belong here.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package recording
