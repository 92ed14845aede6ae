//go:build !race

package verify_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// Twins of a rule that is unsafe where its part about counts or times lets it decide.
var limitTwins = []struct {
	name, when, then string
	safe             bool
}{
	// attempt, of 3
	{"attempt-below", `in_doubt && attempt == 2`, "retry_new_order", false},
	{"attempt-at", `in_doubt && attempt >= 3`, "retry_new_order", false},
	{"attempt-above", `in_doubt && attempt > 3`, "retry_new_order", true},
	{"attempt-range", `in_doubt && attempt >= 4 && attempt <= 9`, "retry_new_order", true},
	{"attempt-range-at", `in_doubt && attempt >= 3 && attempt <= 9`, "retry_new_order", false},
	{"attempt-list", `in_doubt && attempt in [4, 7]`, "mark_failed", true},
	{"attempt-list-at", `in_doubt && attempt in [3, 7]`, "mark_failed", false},
	{"attempt-choice", `in_doubt && (attempt < 4 ? false : true)`, "mark_failed", true},
	{"attempt-choice-at", `in_doubt && (attempt < 3 ? false : true)`, "mark_failed", false},
	{"attempt-alike", `in_doubt && (attempt <= 3) == (class == "rate_limited" && attempt > 3)`, "mark_failed", true},
	{"attempt-alike-at", `in_doubt && (attempt <= 2) == (class == "rate_limited" && attempt > 3)`, "mark_failed", false},
	// queries, of 3
	{"queries-below", `in_doubt && queries == 2`, "retry_new_order", false},
	{"queries-at", `in_doubt && queries >= 3`, "mark_failed", false},
	{"queries-above", `in_doubt && queries > 3`, "mark_failed", true},
	{"queries-none", `in_doubt && queries == 0 && phase == "query"`, "mark_failed", true},
	{"queries-one", `in_doubt && queries == 1 && phase == "query"`, "mark_failed", false},
	{"queries-choice", `in_doubt && (queries > 3 ? true : queries < 0)`, "mark_failed", true},
	{"queries-choice-at", `in_doubt && (queries > 2 ? true : queries < 0)`, "mark_failed", false},
	// sums of counts are not seen into, and refused where they may hold
	{"sum-at", `in_doubt && attempt + queries > 5`, "mark_failed", false},
	{"more-queries-at", `in_doubt && queries - attempt > 1`, "mark_failed", false},
	{"compared-at", `in_doubt && attempt * 3 <= queries`, "mark_failed", false},
	// elapsed, of 2h
	{"elapsed-below", `in_doubt && elapsed >= duration("1h59m59s")`, "retry_new_order", false},
	{"elapsed-at", `in_doubt && elapsed >= duration("2h")`, "retry_new_order", true},
	{"elapsed-above", `in_doubt && elapsed > duration("2h")`, "retry_new_order", true},
	{"elapsed-failed", `in_doubt && elapsed > duration("2h")`, "mark_failed", false},
	{"elapsed-choice", `in_doubt && (elapsed < duration("2h") ? false : true)`, "retry_new_request", true},
	// fired: how often the rule was followed before
	{"fired-never", `in_doubt && fired > 0`, "mark_failed", true},
	{"fired-first", `in_doubt && fired == 0`, "mark_failed", false},
	{"fired-choice", `in_doubt && (fired >= 1 ? true : false)`, "mark_failed", true},
}

// Rules that are safe only by counts or by the flow's time are proved; their twins, which begin one before, are refused.
func TestTwinsNearTheLimits(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	files, safe := map[string]string{"providers/mill.toml": string(mill)}, map[string]bool{}
	for i, one := range limitTwins {
		if i%testkit.Size(9, 8, 1) != 0 {
			continue
		}
		safe[one.name] = one.safe
		files["merchants/"+one.name+".toml"] = limitsOf(3, 3) + ruleOf(one.when, one.then)
	}
	verifyTwins(t, files, safe)
}

// Merchants that share a rule, and differ in nothing but their limits, are not taken for alike.
func TestLimitsBelongToTheProof(t *testing.T) {
	if !testkit.Slow {
		return
	}
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	for when, safe := range map[string]map[string]bool{
		`in_doubt && attempt > 3`: {"a-three": true, "b-five": false, "c-three": true},
		`in_doubt && queries > 3`: {"c-three": true, "d-asks": false},
	} {
		verifyTwins(t, map[string]string{
			"providers/mill.toml": string(mill), "mill.toml": "provider = \"mill\"\n" + ruleOf(when, "mark_failed"),
			"merchants/a-three.toml": limitsOf(3, 3), "merchants/b-five.toml": limitsOf(5, 3), "merchants/c-three.toml": limitsOf(3, 3), "merchants/d-asks.toml": limitsOf(3, 5),
		}, safe)
	}
}

func limitsOf(attempts, queries int) string {
	return fmt.Sprintf("description = \"limited\"\n\n[limits]\nmax_attempts = %d\nmax_queries = %d\nmax_elapsed = \"2h\"\n\n[contract]\nquery_by = [\"order_id\"]\n", attempts, queries)
}

func ruleOf(when, then string) string {
	return fmt.Sprintf("\n[[rule]]\nid = \"own\"\nwhen = '%s'\nthen = %q\n", when, then)
}

// verifyTwins verifies merchants at the mill, all in one run.
func verifyTwins(t *testing.T, files map[string]string, safe map[string]bool) {
	t.Helper()
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Run(context.Background(), e, &verify.Options{
		Providers: []string{"mill"}, Operations: []policy.Operation{policy.Pay}, Merchants: slices.Sorted(maps.Keys(safe)), VerdictOnly: true, FirstOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i := range r.Products {
		p := &r.Products[i]
		for _, m := range p.Merchants {
			seen++
			if p.Unfinished != "" || p.Holds != safe[m] {
				t.Errorf("%s: holds %v %s, want %v\n%s%s", m, p.Holds, p.Unfinished, safe[m], files["mill.toml"], files["merchants/"+m+".toml"])
			}
			if p.Holds && !p.Covered.Counted {
				t.Errorf("%s holds without counts: it is no twin of an unsafe rule", m)
			}
		}
	}
	if seen != len(safe) {
		t.Errorf("%d of %d merchants have a verdict", seen, len(safe))
	}
}

// A rule that is not counted is named, with the limit and what to change.
func TestWhyCountsWereNotFollowed(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]string{
		`in_doubt && fired > 300`:   `merchants/acme.toml:11) compares fired with 250 or more, and that is as far as it is followed. Compare it with less than 250`,
		`in_doubt && queries > 300`: `merchants/acme.toml:11) compares queries with 250 or more, and that is as far as it is followed. Compare it with less than 250, or set max_queries (now 300) to 250 or less`,
	} {
		if testkit.Short() && !strings.Contains(when, "fired") {
			continue
		}
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/acme.toml": limitsOf(1, 300) + ruleOf(when, "mark_failed")}))
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Run(context.Background(), e, &verify.Options{
			Providers: []string{"mill"}, Operations: []policy.Operation{policy.Pay}, Merchants: []string{"acme"},
		})
		if err != nil {
			t.Fatal(err)
		}
		why := ""
		for i := range r.Products[0].Violations {
			why += r.Products[0].Violations[i].Why + "\n"
		}
		if !strings.Contains(why, want) {
			t.Errorf("%s: %q is not in\n%s", when, want, why)
		}
	}
}
