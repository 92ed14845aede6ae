// Package schema holds the JSON Schemas of all TOML files that people write: rules, tests of
// rules, and catalogues of providers. Editors complete and check by them; `recourse init`
// writes them beside the rules, so that they are there without a network.
//
// They are made from the words of package policy, and a test holds their keys to those that
// the parsers know. What is right beyond the form only `recourse` itself can say.
package schema

import "embed"

//go:embed *.json
var files embed.FS

// Names lists the schemas: rules.json, test.json, catalogue.json.
func Names() []string { return []string{"rules.json", "test.json", "catalogue.json"} }

// Read returns a schema by its name; an unknown name is an error.
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
