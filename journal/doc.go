// Package journal is the write-ahead store of flows. The executor stores a row before each
// call to a provider. After a crash, the next process reads the row and queries the
// provider, instead of sending the request again.
//
// The package holds the interface [Journal], its [Row] and its errors, and a journal in
// memory ([NewMemory]) for tests. Package journal/sqlite is the journal for production on
// one machine. Package journal/journaltest is the conformance suite for any other store.
//
// A journal does not know what a flow is. It stores rows, and it refuses two of them: a row
// whose version does not follow the stored one (compare and set), and a second open row of
// the same [Key]. It finds rows by id, by key, by name and by due time.
//
// What must not enter: a database or its driver, the format of [Row.State], the rules of
// payments, timers, retries. The package imports policy and the standard library only, so
// that a program with a journal of its own pulls in nothing else.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package journal
