// Package emulation is the machinery behind package emulator: a payment provider in virtual
// time, which follows its catalogue and contract. It dedupes what the contract says is
// deduped, answers replays, queries and webhooks in the provider's own envelopes, keeps a
// ledger of what executed, and injects the faults of a [Plan].
//
// A [Payment] is one payment without faults, a [Provider] all of them with faults. Both run
// the same code. No reply ever contradicts the ledger, because a test of a client against
// the emulator is worth nothing otherwise.
//
// No I/O, no clock, no rule and no decision belongs here.
package emulation
