package schema

import "embed"

//go:embed *.json
var files embed.FS

// OfRules lists the schemas of what a rules folder holds: rules.json, test.json,
// catalogue.json.
func OfRules() []string { return []string{"rules.json", "test.json", "catalogue.json"} }

// Read returns a schema by its name; an unknown name is an error. Beside those of a rules folder there
// are faults.json (`recourse emulate --faults`) and ceilings.json (internal/check/ceilings.toml).
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
