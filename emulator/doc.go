// Package emulator is a payment provider for tests of a client: it answers over HTTP as its
// catalogue and contract say, keeps a ledger of what executed, and injects the faults of a
// [Plan].
//
// A [Provider] holds the payments and the ledger. A [Server] is its HTTP interface, and an
// [net/http.Handler]. A client under test talks to the server; the test then compares what
// the client believes with [Provider.Ledger].
//
// No rule, no decision and no safety belongs here: the provider allows whatever its
// contract allows, double charges included.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package emulator
