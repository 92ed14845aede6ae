// Package ruletest tests rules: one answer and its decision, tables of them, and whole flows
// in virtual time. Tests are TOML files beside the rules, NAME.test.toml; docs/test.md
// describes their format.
//
// A decision is made as `recourse decide` makes it, and a flow runs the state machine of
// package flow that runs in production. So a passing test shows what will happen there. A
// rule, a code or an action that does not exist is a mistake with its place in the file, not a
// failing test.
//
// [Cover] lists what no test covers, and [Mutate] finds small changes of the rules that no
// test notices. The public package of the same name makes each test a subtest of go test.
//
// There is no clock and no network here. Package ruleset compiles the rules; it and package
// flow make all decisions.
package ruletest
