// Package policy is the vocabulary of Recourse: what a payment is, what a
// provider can answer, what an answer proves (a [Fact]), what can be done about
// it (a [Decision]) and what a provider promises about identities (a [Contract]).
//
// Every other package speaks in these words; this one imports nothing but the
// standard library. No clock, no randomness, no I/O and no decision logic may
// enter it: facts are found by package providers, decisions by package engine,
// and what may be done now by package flow.
package policy
