package emulation_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
)

func plan(t failer, doc string) *emulation.Plan {
	t.Helper()
	p, err := emulation.ReadPlan("f.toml", []byte(doc))
	if err != nil {
		t.Fatalf("the plan does not load:\n%v", err)
	}
	return p
}

// The example that the documents show loads, and has every kind of fault.
func TestExamplePlanLoads(t *testing.T) {
	data, err := os.ReadFile("../../testdata/faults/rough-day.toml")
	if err != nil {
		t.Fatal(err)
	}
	plan(t, string(data))
	docs, err := os.ReadFile("../../docs/emulate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range emulation.FaultKinds() {
		if !strings.Contains(string(data), k.String()) {
			t.Errorf("the example has no %s", k)
		}
		if !strings.Contains(string(docs), "`"+k.String()+"`") {
			t.Errorf("docs/emulate.md has no %s", k)
		}
	}
}

func TestFaultKindsAreWords(t *testing.T) {
	for _, k := range emulation.FaultKinds() {
		var read emulation.FaultKind
		err := read.UnmarshalText([]byte(k.String()))
		if inBlock := k < emulation.Maintenance; inBlock != (err == nil) || inBlock && read != k {
			t.Errorf("%s is read as %s (%v)", k, read, err)
		}
	}
	var k emulation.FaultKind
	var word *policy.WordError
	if err := k.UnmarshalText([]byte("none")); !errors.As(err, &word) || word.Kind != "fault" {
		t.Errorf("%v", err)
	}
	if got := emulation.FaultKind(99).String(); got != "(99)" {
		t.Error(got)
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing at all is a plan", "", ""},
		{"no TOML", "= 1", "f.toml:1:1: "},
		{"a key", "[[faults]]\n", `f.toml:1:3: unknown key "faults"; did you mean "fault"?`},
		{"patience", "patience = \"soon\"\n", `f.toml:1:12: patience: "soon" is no duration (write "90s", "15m", "24h")`},
		{"a kind", "[[fault]]\nkind = \"explode\"\nnth = 1\n", `f.toml:2:8: unknown fault "explode" (there are: refuse, drop_request, `},
		{"no kind", "[[fault]]\nnth = 1\n", `f.toml:1:3: kind is missing`},
		{"how often", "[[fault]]\nkind = \"reset\"\n", `f.toml:1:3: a fault needs one of probability, nth and first; or orders, all of whose calls it hits`},
		{"how often, twice", "[[fault]]\nkind = \"reset\"\nnth = 1\nprobability = 0.5\n", `f.toml:1:3: a fault needs one of `},
		{"orders are enough", "[[fault]]\nkind = \"reset\"\norders = [\"a-*\"]\n", ""},
		{"a pattern", "[[fault]]\nkind = \"reset\"\norders = [\"b\", \"a-[\"]\n", `f.toml:3:16: "a-[" is no pattern`},
		{"a probability", "[[fault]]\nkind = \"reset\"\nprobability = 5\n", `f.toml:3:15: probability is 5; it must lie between 0 and 1`},
		{"a number", "[[fault]]\nkind = \"reset\"\nnth = 0\n", `f.toml:3:7: nth is 0; it must be at least 1`},
		{"of whom", "[[fault]]\nkind = \"reset\"\nnth = 1\nof = \"me\"\n", `f.toml:4:6: of is "me"; it must be order or provider`},
		{"of what", "[[fault]]\nkind = \"reset\"\nprobability = 1\nof = \"order\"\n", `f.toml:4:1: of goes with nth or first`},
		{"no duration", "[[fault]]\nkind = \"delay\"\nnth = 1\n", `f.toml:1:3: delay needs for = "10s" or for = ["1s", "10s"]`},
		{"a duration too many", "[[fault]]\nkind = \"reset\"\nnth = 1\nfor = \"1s\"\n", `f.toml:4:1: reset takes no duration`},
		{"a range", "[[fault]]\nkind = \"delay\"\nnth = 1\nfor = [\"2s\", \"1s\"]\n", `f.toml:4:7: for is one duration, or two of which the second is longer: ["1s", "10s"]`},
		{"a phase", "[[fault]]\nkind = \"execute_late\"\nnth = 1\nfor = \"1s\"\nphase = \"query\"\n", `f.toml:5:9: execute_late cannot hit a query`},
		{"a webhook's", "[[fault]]\nkind = \"lost_webhook\"\nnth = 1\nphase = \"send\"\n", `f.toml:4:9: lost_webhook cannot hit a send`},
		{"a call's", "[[fault]]\nkind = \"refuse\"\nnth = 1\nphase = \"webhook\"\n", `f.toml:4:9: refuse cannot hit a webhook`},
		{"an operation", "[[fault]]\nkind = \"refuse\"\nnth = 1\noperation = \"buy\"\n", `f.toml:4:13: unknown operation "buy" (there are: `},
		{"a status", "[[fault]]\nkind = \"error_after\"\nnth = 1\nstatus = 600\n", `f.toml:4:1: status, from 500 to 599, goes with error_after`},
		{"a status of another kind", "[[fault]]\nkind = \"reset\"\nnth = 1\nstatus = 500\n", `f.toml:4:1: status, from 500 to 599, goes with error_after`},
		{"a window", "[[maintenance]]\nevery = \"1h\"\n", `f.toml:1:3: for is missing`},
		{"a window without end", "[[maintenance]]\nevery = \"1h\"\nfor = \"1h\"\n", `f.toml:2:9: a maintenance of 1h0m0s every 1h0m0s never ends`},
		{"a day", "[[maintenance]]\nfor = \"1h\"\nfrom = \"yesterday\"\n", `f.toml:3:8: from is "yesterday"; write "2026-01-02T03:00:00Z"`},
		{"a rate", "[rate_limit]\ncalls = 0\n", "f.toml:1:2: per is missing"},
		{"a fate", "[fate]\nexecutes = -1\n", `f.toml:2:12: executes is -1; it must lie between 0 and 1`},
		{"a class", "[fate.pay]\nrefused_as = [\"mood\"]\n", `f.toml:2:15: unknown class "mood" (there are: `},
		{"a weight", "[fate]\nsettles = [{ weight = 0 }]\n", `f.toml:2:23: weight is 0; it must be at least 1`},
		{"a fate's key", "[fate.pay]\nsetles = []\n", `f.toml:2:1: unknown key "setles"; did you mean "settles"?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := emulation.ReadPlan("f.toml", []byte(tt.doc))
			var list policy.Mistakes
			switch {
			case tt.want == "":
				if err != nil {
					t.Errorf("refused: %v", err)
				}
			case !errors.As(err, &list) || !strings.HasPrefix(err.Error(), tt.want):
				t.Errorf("said\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}
