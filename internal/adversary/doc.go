// Package adversary looks for rule sets that verify calls proved and that are not. It draws rule
// sets, asks verify for its verdict, and plays random walks through the flow against a provider
// with a ledger of the truth. It shares no search and no abstraction with verify: a walk is one
// history, with real times and real answers, and nothing is merged.
package adversary
