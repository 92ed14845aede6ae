// Package emulator plays a payment provider by its catalogue and contract: it dedupes
// what the contract says is deduped, answers replays, queries and webhooks in the
// provider's own envelopes, keeps a ledger of the money that moved, and lets things
// go wrong.
//
// It lives in virtual time and does no I/O. No rule, no decision and no safety belongs
// here: an emulated provider is as careless as its contract.
package emulator
