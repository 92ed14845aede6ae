// Package ruletest runs the tests of rules as tests of Go. Tests are TOML files beside the
// rules, NAME.test.toml: one answer and the decision about it, tables of them, and whole
// stories in virtual time. Their form is described in docs/test.md.
//
// [Run] makes each of them a subtest, for a team that keeps one test command. The command
// `recourse test` runs the same tests, and adds coverage and mutation.
package ruletest
