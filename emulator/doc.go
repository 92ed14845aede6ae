// Package emulator plays a payment provider by its catalogue and contract: it dedupes
// what the contract says is deduped, answers replays, queries and webhooks in the
// provider's own envelopes, keeps a ledger of what executed, and lets things go wrong as
// a [Plan] says.
//
// A [World] is one payment, a [Provider] all of them; both live in virtual time and do no
// I/O. A [Server] puts a provider behind HTTP in real time, for clients that are to be
// tested. All three run the same code, and none ever says what its ledger denies.
//
// No rule, no decision and no safety belongs here: an emulated provider is as careless as
// its contract.
package emulator
