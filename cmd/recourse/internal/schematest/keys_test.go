package schematest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
	"github.com/recourse-pay/recourse/schema"
)

// nobodys is a key that no table has and that is near to none.
const nobodys = "zzzzzzzzzzzzzzzz"

var thereAre = regexp.MustCompile(`unknown key "` + nobodys + `" \(there are: ([^)]*)\)`)

// known asks a parser for the keys of a table, by giving it one too many.
func known(t *testing.T, complain func(toml string) string, toml string) []string {
	t.Helper()
	said := complain(strings.ReplaceAll(toml, "?", nobodys+" = 1"))
	found := thereAre.FindStringSubmatch(said)
	if found == nil {
		t.Fatalf("of\n%s\nthe parser says\n%s", toml, said)
	}
	keys := strings.Split(found[1], ", ")
	slices.Sort(keys)
	return slices.Compact(keys)
}

func rulesSaid(t *testing.T) func(string) string {
	return func(toml string) string {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "merchants"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "merchants", "acme.toml"), []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := rules.Load(dir)
		return err.Error()
	}
}

func catalogueSaid(t *testing.T) func(string) string {
	return func(toml string) string {
		cs, err := providers.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		return cs.Add("x.toml", []byte(toml)).Error()
	}
}

func testsSaid(t *testing.T) func(string) string {
	return func(toml string) string {
		e, err := ruleset.Open("")
		if err != nil {
			t.Fatal(err)
		}
		_, err = ruletest.Read(e, []ruletest.File{{Name: "x.test.toml", Data: []byte(toml)}})
		return err.Error()
	}
}

func faultsSaid(toml string) string {
	_, err := emulator.ReadPlan("faults.toml", []byte(toml))
	return err.Error()
}

// The keys of each table are those that its parser knows.
func TestKeysAreTheParsers(t *testing.T) {
	const head = "name = 'x'\noperations = ['pay']\n"
	tests := []struct {
		schema, table, toml string
		said                func(string) string
	}{
		{"rules.json", "", "?", rulesSaid(t)},
		{"rules.json", "merchant", "[merchant]\n?", rulesSaid(t)},
		{"rules.json", "limits", "[limits]\n?", rulesSaid(t)},
		{"rules.json", "limits.refund", "[limits.refund]\n?", rulesSaid(t)},
		{"rules.json", "schedule.*", "[schedule.x]\n?", rulesSaid(t)},
		{"rules.json", "contract", "[contract]\n?", rulesSaid(t)},
		{"rules.json", "contract.pay", "[contract.pay]\n?", rulesSaid(t)},
		{"rules.json", "rule", "[[rule]]\n?", rulesSaid(t)},
		{"catalogue.json", "", head + "?", catalogueSaid(t)},
		{"catalogue.json", "deployment.*", head + "[deployment.x]\n?", catalogueSaid(t)},
		{"catalogue.json", "contract", head + "[contract]\n?", catalogueSaid(t)},
		{"catalogue.json", "contract.idempotent_key", head + "[contract.idempotent_key]\n?", catalogueSaid(t)},
		{"catalogue.json", "code", head + "[[code]]\n?", catalogueSaid(t)},
		{"catalogue.json", "code.facts", head + "[[code]]\nfacts = [{ ? }]", catalogueSaid(t)},
		{"catalogue.json", "fallback", head + "[[fallback]]\n?", catalogueSaid(t)},
		{"catalogue.json", "decode", head + "[[decode]]\n?", catalogueSaid(t)},
		{"catalogue.json", "event", head + "[[event]]\n?", catalogueSaid(t)},
		{"catalogue.json", "envelope", head + "[[envelope]]\n?", catalogueSaid(t)},
		{"catalogue.json", "endpoint", head + "[[endpoint]]\n?", catalogueSaid(t)},
		{"catalogue.json", "webhook.other", head + "[[webhook.other]]\n?", catalogueSaid(t)},
		{"catalogue.json", "webhook", head + "[webhook]\n?", catalogueSaid(t)},
		{"test.json", "", "?", testsSaid(t)},
		{"test.json", "decision", "[[decision]]\n?", testsSaid(t)},
		{"test.json", "decision.given", "[[decision]]\nexpect = {}\ngiven = { ? }", testsSaid(t)},
		{"test.json", "decision.expect", "[[decision]]\ngiven = {}\nexpect = { ? }", testsSaid(t)},
		{"test.json", "each", "[[each]]\n?", testsSaid(t)},
		{"test.json", "each.given", "[[each]]\ngiven = { ? }", testsSaid(t)},
		{"test.json", "each.where", "[[each]]\nwhere = { ? }", testsSaid(t)},
		{"test.json", "flow", "[[flow]]\n?", testsSaid(t)},
		{"test.json", "flow.payment", "[[flow]]\npayment = { ? }", testsSaid(t)},
		{"faults.json", "", "?", faultsSaid},
		{"faults.json", "latency", "[latency]\n?", faultsSaid},
		{"faults.json", "fate", "[fate]\n?", faultsSaid},
		{"faults.json", "fate.refund", "[fate.refund]\n?", faultsSaid},
		{"faults.json", "fate.settles", "[fate]\nsettles = [{ ? }]", faultsSaid},
		{"faults.json", "fault", "[[fault]]\n?", faultsSaid},
		{"faults.json", "maintenance", "[[maintenance]]\n?", faultsSaid},
		{"faults.json", "rate_limit", "[rate_limit]\n?", faultsSaid},
	}
	for _, tt := range tests {
		t.Run(tt.schema+" "+tt.table, func(t *testing.T) {
			want := known(t, tt.said, tt.toml)
			have := properties(t, tt.schema, tt.table)
			if !slices.Equal(have, want) {
				t.Errorf("the schema has  %v\nthe parser reads %v", have, want)
			}
		})
	}
}

// properties are the keys of a table of a schema.
func properties(t *testing.T, name, table string) []string {
	t.Helper()
	raw, err := schema.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	at := root
	for _, key := range strings.FieldsFunc(table, func(r rune) bool { return r == '.' }) {
		if key == "*" {
			at = at["additionalProperties"].(map[string]any)
			continue
		}
		at = at["properties"].(map[string]any)[key].(map[string]any)
		if either, ok := at["anyOf"].([]any); ok { // a name, or a table
			at = either[1].(map[string]any)
		}
		if ref, ok := at["$ref"].(string); ok {
			at = root["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		if items, ok := at["items"].(map[string]any); ok {
			at = items
		}
	}
	return slices.Sorted(maps.Keys(at["properties"].(map[string]any)))
}
