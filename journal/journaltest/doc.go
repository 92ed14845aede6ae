// Package journaltest is the conformance suite of journal.Journal. A test of an
// implementation is one call:
//
//	func TestJournal(t *testing.T) {
//		journaltest.Run(t, func(t *testing.T) journal.Journal { return open(t) })
//	}
//
// [Run] tests each guarantee of the interface in a subtest of its own. Then it compares the
// journal with a naive model under random operations. [RunDurable] also tests what a journal
// guarantees after it was closed and opened again. The suite does not sleep.
//
// What must not enter: anything about one implementation. The suite uses the interface only.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package journaltest
