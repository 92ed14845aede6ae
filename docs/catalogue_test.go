package docs

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// sections are the parts of catalogue.md, by the tables of a catalogue that they describe.
var sections = map[string]string{
	"": "## The file", "code": "## Rows", "status": "## Rows", "fallback": "## Rows", "decode": "## decode", "event": "## event",
	"webhook": "## webhook", "endpoint": "## endpoint", "envelope": "## envelope",
}

// Every key of a catalogue's schema stands in the section of its table, and each class in the list of
// classes.
func TestCataloguePageHasEveryKey(t *testing.T) {
	raw, err := os.ReadFile("catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]string{}
	for _, section := range strings.Split("\n"+string(raw), "\n## ")[1:] {
		name, _, _ := strings.Cut(section, ":")
		name, _, _ = strings.Cut(name, "\n")
		page["## "+name] = section
	}
	schema, err := os.ReadFile("../schema/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatal(err)
	}
	seen := 0
	eachKey(root, nil, func(path []string) {
		table := ""
		if len(path) > 1 {
			table = path[0]
		}
		if table == "deployment" {
			return // it has the keys of a catalogue
		}
		heading, known := sections[table]
		if table == "contract" || table == "amount_units" {
			return // README, "How to add a provider"
		}
		seen++
		key := path[len(path)-1]
		if text := page[heading]; !known || !strings.Contains(text, "`"+key+"`") {
			t.Errorf("catalogue.md, %q: the key %s is not there", heading, strings.Join(path, "."))
		}
	})
	if seen < 80 {
		t.Errorf("only %d keys were found", seen)
	}
	for _, class := range policy.All[policy.Class]() {
		if !strings.Contains(page["## Rows"], "\n| `"+class.String()+"` | ") {
			t.Errorf("catalogue.md does not say what the class %s means", class)
		}
	}
}

// eachKey visits the properties of a schema.
func eachKey(node map[string]any, path []string, visit func([]string)) {
	if either, ok := node["anyOf"].([]any); ok {
		for _, one := range either {
			if sub, ok := one.(map[string]any); ok {
				eachKey(sub, path, visit)
			}
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		eachKey(items, path, visit)
	}
	properties, _ := node["properties"].(map[string]any)
	for key, sub := range properties {
		below := append(slices.Clone(path), key)
		visit(below)
		if sub, ok := sub.(map[string]any); ok {
			eachKey(sub, below, visit)
		}
	}
}
