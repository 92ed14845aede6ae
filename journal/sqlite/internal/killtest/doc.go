// Package killtest holds the test that an executor can be killed at any moment. A process
// pays through an emulated provider on a bad day, over HTTP, with its journal on disk; it is
// killed with SIGKILL again and again, and restarted. In the end the provider's ledger is
// held against what the journal says. The same test without the write-ahead, or without the
// query after a restart, must find double charges: else it would prove nothing.
//
// There is nothing here to import.
package killtest
