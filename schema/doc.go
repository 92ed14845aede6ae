// Package schema holds the JSON Schemas of all TOML files that people write: rules, tests of
// rules, catalogues of providers, faults of the emulator, and ceilings of card schemes.
// Editors complete and check by them. `recourse init` writes those of a rules folder beside
// the rules, so that they are there without a network.
//
// They are made from the words of package policy, and a test compares their keys with those
// that the parsers read. No parser and no check belongs here: a schema knows the form only.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package schema
