// Package ruleset compiles rules against catalogues and decides.
//
// Rules are prepared when they are loaded. The provider is put into each condition and what
// follows from it is left out; a rule that can hold only with certain codes, or certain texts of
// another kind, stands in a short list for each of them; what the words of a situation settle is one
// comparison of bits, and what is left are plain comparisons. Only texts that a condition
// makes anew, as upper does, run on expr's virtual machine. Merchants and providers whose
// rules are the same share what is prepared.
//
// What is prepared is checked, not trusted: each load compares it with a plain reading of the
// rules in situations drawn at random, and the tests do so at length, against expr too.
//
// [Engine] implements [policy.Decider] and is safe for concurrent use. There is no
// clock, no randomness and no I/O at decision time. What may be done about a decision,
// given everything sent before, is for package flow.
package ruleset
