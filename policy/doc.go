// Package policy is the vocabulary of Recourse: what a payment is, what a
// provider can answer, what an answer proves (a [Fact]), what can be done about
// it (a [Decision]) and what a provider promises about identities (a [Contract]).
//
// Every other package uses these types; this one imports nothing but the
// standard library. No clock, no randomness, no I/O and no decision logic may
// enter it: facts are found by package providers, decisions by package engine,
// and what may be done now by package flow.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package policy
