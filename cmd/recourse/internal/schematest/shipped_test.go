package schematest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recourse-pay/recourse/schema"
)

// schemas are the names of all.
func schemas() []string { return append(schema.OfRules(), "faults.json", "ceilings.json") }

// compiled are the schemas, ready to check.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	all := map[string]*jsonschema.Schema{}
	for _, name := range schemas() {
		raw, err := schema.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
		if all[name], err = c.Compile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// check holds a TOML text against a schema.
func check(s *jsonschema.Schema, text []byte) error {
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		return err
	}
	raw, err := json.Marshal(values) // the validator knows the types of JSON
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

func kindOf(path string) string {
	switch {
	case strings.HasSuffix(path, ".test.toml"):
		return "test.json"
	case filepath.Base(filepath.Dir(path)) == "providers":
		return "catalogue.json"
	case filepath.Base(path) == "ceilings.toml":
		return "ceilings.json"
	case filepath.Base(filepath.Dir(path)) == "faults" || filepath.Base(path) == "faults.toml" || filepath.Base(path) == "traffic.toml":
		return "faults.json"
	}
	return "rules.json"
}

// Every file that is shipped fits its schema.
func TestShippedFilesFit(t *testing.T) {
	all := compiled(t)
	seen := map[string]int{}
	for _, pattern := range []string{"../../../../rules/*.toml", "../../../../rules/merchants/*.toml", "../../../../providers/*.toml", "../../../../examples/*/rules/merchants/*.toml",
		"../../../../internal/check/*.toml", "../../../../testdata/faults/*.toml", "../../../../examples/*/faults.toml", "../../../../internal/generate/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seen[kindOf(f)]++
			if err := check(all[kindOf(f)], text); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
	if len(seen) != len(schemas()) {
		t.Errorf("the files are of %v", seen)
	}
}

// What a parser refuses by its form, the schemas refuse too.
func TestSchemasRefuse(t *testing.T) {
	all := compiled(t)
	tests := []struct{ schema, toml string }{
		{"rules.json", "limitz = 3"},
		{"rules.json", "[[rule]]\nid = 'a'\nwhen = 'true'\nthen = 'retry_later'"},
		{"rules.json", "[[rule]]\nid = 'a'\nwhen = 'true'"},
		{"rules.json", "[limits.pay]\nmax_attempts = 0"},
		{"rules.json", "[schedule.poll]\nintervals = ['soon']"},
		{"test.json", "[[decision]]\ngiven = { operation = 'pay' }"},
		{"test.json", "[[decision]]\ngiven = { operation = 'payy' }\nexpect = { action = 'escalate' }"},
		{"test.json", "[[decision]]\ngiven = {}\nexpect = { action = 'mark_faild' }"},
		{"test.json", "[[flow]]\nname = 'x'\nscript = ['send: timeout']"},
		{"test.json", "[[each]]\nwhere = { class = 'insuficient_funds' }"},
		{"catalogue.json", "operations = ['pay']"},
		{"catalogue.json", "name = 'x'\n[[code]]\ncode = '1'\nfacts = [{ operation = ['pay'], phase = ['send'], effect = 'maybe', stage = 'door' }]"},
		{"faults.json", "[[fault]]\nkind = 'drop_responses'\nprobability = 0.1"},
		{"faults.json", "[[fault]]\nkind = 'delay'\nfor = ['1s', '2s', '3s']"},
		{"faults.json", "[fate.refnd]\nexecutes = 0.5"},
		{"faults.json", "[rate_limit]\ncalls = 3"},
		{"ceilings.json", "[[ceiling]]\nscheme = 'Visa'"},
		{"ceilings.json", "[[celing]]"},
	}
	for _, tt := range tests {
		if err := check(all[tt.schema], []byte(tt.toml)); err == nil {
			t.Errorf("%s accepts\n%s", tt.schema, tt.toml)
		}
	}
}
