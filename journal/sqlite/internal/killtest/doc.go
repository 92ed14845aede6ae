// Package killtest holds the test that an executor can be killed at any moment. A process pays
// through an emulated provider with many faults, over HTTP, with its journal on disk. It is
// killed with SIGKILL and started again, many times. At the end the test compares the
// provider's ledger with the journal.
//
// The test is also run with two sabotaged processes: one without the write-ahead, one without
// the query after a restart. Both must be found to charge twice. Else the test proves nothing.
//
// The package exports no names. It must not use anything but the public API of the executor
// and the journal: it stands for a user's program.
package killtest
