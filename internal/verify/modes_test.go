//go:build !race

package verify

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// Payments of both capture modes are searched together first. What that proves, a search of each mode must prove. In the catalogue
// one answer proves another thing in each mode.
func TestModesTogetherProveWhatEachProves(t *testing.T) {
	file, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	catalog := string(file) + `
[[code]]
code = "HELD"
class = "authorized"
description = "It is on hold."
facts = [{ operation = "*", phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
`
	together, one, other := 0, 0, 0
	for _, when := range []string{`class == "authorized" && effect == "executed"`, `class == "authorized" && effect == "pending"`, `code == "HELD" && !in_doubt`, `code == "HELD" && capture == "manual"`,
		`effect == "executed" && capture == "manual"`, `effect == "pending" && capture == "auto"`}[:testkit.Size(2, 3, 6)] {
		for _, then := range []policy.Action{policy.RetryNewOrder, policy.MarkSucceeded, policy.MarkFailed, policy.Escalate} {
			text := fmt.Sprintf("[limits]\nmax_attempts = 2\n[contract]\nquery_by = []\nwebhook = false\n[[rule]]\nid = \"held\"\nwhen = '%s'\nthen = %q\n", when, then)
			both, auto, manual := holdsInModes(t, catalog, text)
			switch {
			case both && !(auto && manual):
				t.Errorf("%s, %s: proved together; alone: auto %v, manual %v", when, then, auto, manual)
			case both:
				together++
			case auto:
				one++
			case manual:
				other++
			}
		}
	}
	t.Logf("%d proved together; of the others %d with capture auto, %d with capture manual", together, one, other)
	if together == 0 || one == 0 || other == 0 {
		t.Error("nothing is compared")
	}
}

// holdsInModes searches for what breaks in payments of both capture modes together, and of each.
func holdsInModes(t *testing.T, catalog, text string) (both, auto, manual bool) {
	t.Helper()
	e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": catalog, "merchants/some.toml": text}))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	jobs, err := products(e, &Options{Providers: []string{"mill"}, Merchants: []string{"some"}})
	if err != nil {
		t.Fatal(err)
	}
	b := &batch{jobs: jobs, e: e, o: &Options{}, s: space.New(e)}
	holds := func(modes ...policy.CaptureMode) bool {
		g, tables, err := b.ground(jobs, space.Bit(modes...))
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.search(context.Background(), g, tables)
		if err != nil {
			t.Fatal(err)
		}
		return s.holds()
	}
	return holds(policy.Auto, policy.Manual), holds(policy.Auto), holds(policy.Manual)
}
