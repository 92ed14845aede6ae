// Package schema holds the JSON Schemas of all TOML files that people write: rules, tests of
// rules, catalogues of providers, faults of the emulator, and ceilings of card schemes.
// Editors complete and check by them; `recourse init` writes those of a rules folder beside
// the rules, so that they are there without a network.
//
// They are made from the words of package policy, and a test holds their keys to those that
// the parsers know. What is right beyond the form only `recourse` itself can say.
package schema

import "embed"

//go:embed *.json
var files embed.FS

// OfRules lists the schemas of what a rules folder holds: rules.json, test.json,
// catalogue.json.
func OfRules() []string { return []string{"rules.json", "test.json", "catalogue.json"} }

// Names lists all schemas: those of a rules folder, faults.json (`recourse emulate
// --faults`) and ceilings.json (internal/check/ceilings.toml).
func Names() []string { return append(OfRules(), "faults.json", "ceilings.json") }

// Read returns a schema by its name; an unknown name is an error.
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
