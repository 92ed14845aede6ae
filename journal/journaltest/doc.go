// Package journaltest proves that a journal of any store keeps what journal.Journal
// promises. A test of an implementation is one call:
//
//	func TestJournal(t *testing.T) {
//		journaltest.Run(t, func(t *testing.T) journal.Journal { return open(t) })
//	}
//
// [Run] tells the promises one by one, then holds the journal to a naive model with random
// operations. [RunDurable] adds what a journal that outlives its process promises. The
// suite never sleeps and asks for nothing but the interface.
package journaltest
