// Package ruletest runs the tests of rules as subtests of go test. Tests are TOML files beside
// the rules, NAME.test.toml: one answer and its decision, tables of them, and whole flows in
// virtual time. docs/test.md describes their format.
//
// [Run] is for a team that keeps one test command. The command `recourse test` runs the same
// tests, and adds coverage and mutation.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package ruletest
