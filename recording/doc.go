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
// Of a body, its headers and its query string only what the provider's catalogue reads is written, by the same reader that decodes
// and verifies: the identifiers, amount, code and status, and the message. Everything else is cut,
// whatever it is called; Options.Keep names what stays besides. The links by which a shopper pays are cut though the
// catalogue reads them. In a message, and in what Keep names, links, addresses of mail, values with a name, and words
// that look like keys become "…redacted…". What looks like a card number does so everywhere, in whatever
// way it is written, save the payment's own identifiers and amount, which a simulation needs. The verification code, the PIN
// and the stripe of a card stay under no name. A body that a catalogue could not read is replaced by its length and a
// hash. Where the rest of a body would be read as another answer, the decoded fields are written in its place. Free text is
// not understood: a name in the middle of a message stays. Identifiers, merchants and tags are written as they are.
//
// Deciding, retrying and reading recordings do not belong here.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package recording
