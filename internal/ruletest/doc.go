// Package ruletest tests rules: one answer and the decision about it, tables of them, and
// whole stories in virtual time. Tests are TOML files beside the rules, NAME.test.toml; their
// form is described in docs/test.md.
//
// A decision is asked for as `recourse decide` asks, and a story runs the machine of package
// flow that runs in production, so a test that passes says what will be done. What a test
// names must exist: a rule, a code or an action that does not is a mistake with its place,
// not a failing test.
//
// [Cover] says what no test looked at, and [Mutate] which small changes of the rules no test
// would notice. The public package of the same name makes each test a subtest of
// go test.
//
// There is no clock and no network here. Rules are compiled by package ruleset, and what is
// tested is decided by it and by package flow, not here.
package ruletest
