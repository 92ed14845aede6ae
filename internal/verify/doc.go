// Package verify proves, for a set of rules, that no payment is charged twice; or tells the
// shortest story in which it is.
//
// It explores the product of the real machine (package flow) under the real, compiled rules
// (package ruleset) with a provider that keeps its contract and is otherwise as adverse as can
// be. Nothing is sampled: each class of answers of the catalogue, each order of events, each
// age of a request compared with the ages that matter is visited. It drives flow and asks
// the engine; it has no clock, sends nothing, and no other driver is known to it.
package verify
