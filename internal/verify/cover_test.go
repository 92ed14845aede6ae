//go:build !race

package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// An edit that lets rules decide less is proved by the proof of before; one that lets them decide anything else is searched.
func TestProofCoversRulesThatDecideLess(t *testing.T) {
	rule := func(id, when, then string) string {
		return fmt.Sprintf("[[rule]]\nid = %q\nwhen = '%s'\nthen = %q\n", id, when, then)
	}
	safe := `class == "maintenance" && effect == "not_executed" && !in_doubt`
	before := rule("again", safe+` && amount > 1000 && attempt < 3`, "retry_new_request")
	look := func(t *testing.T, k *Known, text string) *Product {
		t.Helper()
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": text}))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), e, &Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Refund}, Merchants: []string{"acme"}, Known: k, VerdictOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		return &r.Products[0]
	}
	file := filepath.Join(t.TempDir(), "known.json")
	known := func(t *testing.T) *Known {
		t.Helper()
		k, err := OpenKnown(file)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k := known(t)
	if first := look(t, k, before); !first.Holds || first.Known || first.Within {
		t.Fatalf("at first: %+v", first)
	}
	if err := k.Save(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		rules        string
		within, hold bool
	}{
		"nothing":                   {before, false, true}, // the very same: known
		"another amount":            {strings.Replace(before, "1000", "2000", 1), true, true},
		"a narrower condition":      {strings.Replace(before, "amount > 1000", "amount > 1000 && hour < 9", 1), true, true},
		"another count":             {strings.Replace(before, "attempt < 3", "attempt < 2", 1), true, true},
		"the rule is gone":          {"description = \"none\"\n", true, true},
		"another action":            {strings.Replace(before, "retry_new_request", "query_status", 1), false, true},
		"what no answer has":        {strings.Replace(before, "maintenance", "rate_limited", 1), true, true},
		"another doubt":             {strings.Replace(before, safe, `effect == "pending"`, 1), false, false},
		"the doubt is not excluded": {strings.Replace(before, " && !in_doubt", "", 1), false, false},
		"unsafe":                    {rule("again", `class == "network_error" && amount > 1000 && attempt < 3`, "retry_new_request"), false, false},
		"a line of the contract":    {before + "[contract]\nquery_by = []\n", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := look(t, known(t), tt.rules); got.Within != tt.within || got.Holds != tt.hold {
				t.Errorf("within %v, holds %v (known %v)", got.Within, got.Holds, got.Known)
			}
		})
	}
}

// What a cover proves must be what a search of those rules proves.
func TestCoverProvesWhatASearchProves(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "known.json")
	within, searched, unsafe := 0, 0, 0
	seeds := []uint64{11, 58, 35, 0}[:testkit.Size(1, 2, 4)] // with rules that are safe, and within others
	for seed := range uint64(testkit.Size(0, 0, 80)) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		r := draw.From(seed)
		// Two sets of rules under one contract: the contract's lines are those of the first.
		text := someRules(r)
		contract, _, _ := strings.Cut(text, "\n[[rule]]")
		_, other, _ := strings.Cut(someRules(r), "\n[[rule]]")
		k, err := OpenKnown(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{text, contract + "\n[[rule]]" + other, contract} {
			e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text}))
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, text)
			}
			o := &Options{Providers: []string{"mill"}, Operations: []policy.Operation{policy.Pay}, Merchants: []string{"some"}, Known: k, VerdictOnly: true, MaxStates: 1_500}
			with, err := Run(context.Background(), e, o)
			if err != nil {
				t.Fatal(err)
			}
			if with.Products[0].Within {
				within++
				o.Known = nil
				alone, err := Run(context.Background(), e, o)
				if err != nil {
					t.Fatal(err)
				}
				if !alone.Holds {
					t.Errorf("seed %d: a cover proves what a search refuses\n%s", seed, text)
				}
				continue
			}
			if searched++; !with.Holds {
				unsafe++
			}
		}
		if err := k.Save(); err != nil { // the form in the file is tested too
			t.Fatal(err)
		}
	}
	t.Logf("%d within, %d searched, %d of them refused", within, searched, unsafe)
	if within == 0 {
		t.Error("nothing is within what was proved before: nothing is compared")
	}
}

// One violation is a verdict: a set that has any is refused whether the search goes on or not, and what is found first is found in the whole search.
func TestTheFirstViolationIsTheVerdict(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	proved, refused := 0, 0
	seeds := []uint64{35, 0, 58, 1, 11, 2}[:testkit.Size(2, 3, 6)] // the first one is safe
	for seed := range uint64(testkit.Size(0, 0, 60)) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		text := someRules(draw.From(seed))
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text}))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		o := &Options{Providers: []string{"mill"}, Operations: []policy.Operation{policy.Pay}, Merchants: []string{"some"}, VerdictOnly: true, MaxStates: 1_500}
		whole, err := Run(context.Background(), e, o)
		if err != nil {
			t.Fatal(err)
		}
		o.FirstOnly = true
		first, err := Run(context.Background(), e, o)
		if err != nil {
			t.Fatal(err)
		}
		all, one := &whole.Products[0], &first.Products[0]
		known := map[string]bool{}
		for _, v := range all.Violations {
			known[string(v.Property)+v.Source] = true
		}
		for _, v := range one.Violations {
			if !known[string(v.Property)+v.Source] {
				t.Errorf("seed %d: %s %s is found first, and not in the whole search\n%s", seed, v.Property, v.Source, text)
			}
		}
		switch {
		case all.Unfinished != "" && len(all.Violations) == 0: // no verdict
		case first.Holds != whole.Holds && all.Unfinished == "" || first.Holds && len(all.Violations) > 0 && !one.Covered.Counted:
			t.Errorf("seed %d: the first violation alone: holds %t; the whole search: %t\n%s", seed, first.Holds, whole.Holds, text)
		case first.Holds:
			proved++
		default:
			refused++
		}
	}
	t.Logf("%d proved, %d refused", proved, refused)
	if proved == 0 || refused == 0 {
		t.Error("all have the same verdict: nothing is compared")
	}
}
