// Package ruleset compiles rules against catalogues and decides.
//
// Which rules can match an answer is found once, when the rules are loaded, from the
// conditions themselves: for every value that a variable can have, a bit per rule says
// whether the rule can still hold. A decision joins the bits of the values at hand and
// tries the few rules that are left, and of these only the parts that the bits could not
// settle. A plain twin in the tests, rule after rule without any of this, holds it to
// the same answers.
//
// [Engine] implements [policy.Decider] and is safe for concurrent use. There is no
// clock, no randomness and no I/O at decision time. What may be done about a decision,
// given everything sent before, is for package flow.
package ruleset
