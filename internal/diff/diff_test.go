package diff_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

var catalogs = sync.OnceValues(providers.Builtin)

func compiled(t testing.TB, set *rules.Set) *ruleset.Engine {
	t.Helper()
	cats, err := catalogs()
	if err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.New(cats, set)
	if err != nil {
		return nil
	}
	return e
}

// mutant changes one rule of a set: its condition, its action, or its place.
func mutant(r draw.Rand, set *rules.Set) *rules.Set {
	base := *set.Baseline
	base.Rules = append([]*rules.Rule(nil), set.Baseline.Rules...)
	i := r.IntN(len(base.Rules))
	changed := *base.Rules[i]
	switch r.IntN(4) {
	case 0:
		changed.Then = draw.One(r, policy.All[policy.Action]()...)
	case 1:
		changed.When = "(" + changed.When + ") && " + draw.Condition(r, 1)
	case 2:
		changed.When = draw.Condition(r, 2)
	case 3:
		j := (i + 1) % len(base.Rules)
		base.Rules[i], base.Rules[j] = base.Rules[j], base.Rules[i]
		return &rules.Set{Baseline: &base, Providers: set.Providers, Merchants: set.Merchants}
	}
	base.Rules[i] = &changed
	return &rules.Set{Baseline: &base, Providers: set.Providers, Merchants: set.Merchants}
}

func same(a, b policy.Decision) bool {
	return a.Action == b.Action && a.Rule == b.Rule && reflect.DeepEqual(a.Schedule, b.Schedule)
}

// Engines that compare as the same decide every random input alike. For those that compare as
// different, the witness shows it. The report of changes covers every difference.
func TestCompareAgreesWithRandomInputs(t *testing.T) {
	var equal, different, unsure int
	for seed := range uint64(testkit.Size(1, 2, 4)) {
		r := draw.From(seed)
		set := draw.Set(r)
		e := compiled(t, set)
		if e == nil {
			continue
		}
		comparer := diff.NewComparer(e)
		situations := draw.Of(e)
		for range testkit.Size(1, 6, 6) {
			m := compiled(t, mutant(r, set))
			if m == nil {
				continue
			}
			v := comparer.Compare(m)
			differs := map[string]bool{}
			for range testkit.Size(1000, 4000, 4000) {
				sit := situations.One(r)
				if a, b := e.Decide(&sit), m.Decide(&sit); !same(a, b) {
					differs[sit.Payment.Provider] = true
				}
			}
			switch {
			case v.Same && v.Exact:
				equal++
				if len(differs) > 0 {
					t.Fatalf("seed %d: compared as the same, and they differ at %v", seed, differs)
				}
			case v.Exact:
				different++
				sit := v.Witness.Situation
				if a, b := e.Decide(&sit), m.Decide(&sit); same(a, b) || !same(a, v.Before) || !same(b, v.After) {
					t.Fatalf("seed %d: the witness is decided %v and %v", seed, a, b)
				}
			default:
				unsure++
			}
			reported(t, e, m, differs)
		}
	}
	t.Logf("%d the same, %d different, %d undecided", equal, different, unsure)
	if equal < testkit.Size(0, 1, 2) || different < testkit.Size(0, 4, 8) || unsure > testkit.Size(1, 1, 2) {
		t.Errorf("%d the same, %d different, %d undecided: too few of the first two, or too many undecided", equal, different, unsure)
	}
}

// reported compares a report with the differences that random inputs showed.
func reported(t *testing.T, e, m *ruleset.Engine, differs map[string]bool) {
	t.Helper()
	report, err := diff.Run(context.Background(), e, m, diff.Options{})
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]bool{}
	for _, c := range report.Changes {
		of[c.Provider] = true
		if c.Witness == nil {
			continue
		}
		sit := c.Witness.Situation
		if a, b := e.Decide(&sit), m.Decide(&sit); a.Rule != c.Before.Rule || b.Rule != c.After.Rule || a.Action != c.Before.Action || b.Action != c.After.Action {
			t.Errorf("the witness of %s is decided by %q and %q", c.Name, a.Rule, b.Rule)
		}
	}
	for p := range differs {
		if !of[p] && report.Complete {
			t.Errorf("something differs at %s, and the report has no change there", p)
		}
	}
}

func TestEngineIsEquivalentToItself(t *testing.T) {
	a, b := open(t), open(t)
	if v := diff.NewComparer(a).Compare(b); !v.Same || !v.Exact {
		t.Errorf("the shipped rules read twice: same %t, exact %t", v.Same, v.Exact)
	}
}

func open(t testing.TB) *ruleset.Engine {
	t.Helper()
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Every action in every situation, in the direction that docs/check.md gives.
func TestOrderOfRisk(t *testing.T) {
	for _, c := range []struct {
		when, from, to string
		want           diff.Risk
	}{
		{`in_doubt`, "query_status", "retry_new_request", diff.Riskier},
		{`in_doubt`, "query_status", "retry_same_request", diff.Riskier},
		{`in_doubt`, "retry_same_request", "retry_new_order", diff.Riskier},
		{`in_doubt`, "query_status", "mark_failed", diff.Riskier},
		{`in_doubt`, "mark_succeeded", "escalate", diff.Safer},
		{`in_doubt`, "query_status", "escalate", diff.Other},
		{`effect == "executed" && class == "success"`, "mark_succeeded", "mark_failed", diff.Riskier},
		{`effect == "executed" && class == "success"`, "mark_succeeded", "query_status", diff.Other},
		{`effect == "executed" && class == "mismatch"`, "escalate", "mark_succeeded", diff.Riskier},
		{`effect == "not_executed" && !in_doubt`, "mark_failed", "retry_new_order", diff.Riskier},
		{`effect == "not_executed" && !in_doubt`, "retry_new_order", "retry_new_request", diff.Other},
		{`effect == "not_executed" && !in_doubt`, "retry_new_request", "mark_failed", diff.Safer},
		{`effect == "not_executed" && !in_doubt`, "mark_failed", "mark_succeeded", diff.Riskier},
	}[:testkit.Size(2, 13, 13)] {
		report, err := diff.Run(context.Background(), single(t, c.when, c.from), single(t, c.when, c.to), diff.Options{})
		if err != nil || len(report.Changes) == 0 {
			t.Fatalf("%s: %v", c.when, err)
		}
		for _, ch := range report.Changes {
			if c.when == "in_doubt" && ch.Money != "in doubt" {
				continue
			}
			if ch.Risk != c.want || ch.Witness == nil {
				t.Errorf("%s, %s -> %s (%s): %s; want %s", c.when, c.from, c.to, ch.Money, ch.Risk, c.want)
			}
		}
	}
}

func single(t testing.TB, when, then string) *ruleset.Engine {
	t.Helper()
	r := &rules.Rule{ID: "it", When: when, Pos: source.Pos{File: "baseline.toml", Line: 1}}
	if err := r.Then.UnmarshalText([]byte(then)); err != nil {
		t.Fatal(err)
	}
	return compiled(t, &rules.Set{Baseline: &rules.File{Name: "baseline.toml", Rules: []*rules.Rule{r}, Schedules: map[string]*policy.Schedule{}}})
}

// harmless returns the shipped rules with one more part in the last rule. The rules before it
// already make that part true.
func harmless(t testing.TB) *ruleset.Engine {
	t.Helper()
	set := open(t).Rules
	base := *set.Baseline
	base.Rules = append([]*rules.Rule(nil), base.Rules...)
	last := *base.Rules[len(base.Rules)-1]
	last.When = last.When + " && !in_doubt"
	base.Rules[len(base.Rules)-1] = &last
	return compiled(t, &rules.Set{Baseline: &base, Providers: set.Providers, Merchants: set.Merchants})
}

func TestRedundantConditionIsEquivalent(t *testing.T) {
	if v := diff.NewComparer(compiled(t, open(t).Rules)).Compare(harmless(t)); !v.Same || !v.Exact {
		t.Errorf("the last rule is tried only where nothing is in doubt: %+v", v)
	}
}

func BenchmarkCompareOneRuleChanged(b *testing.B) {
	comparer, m := diff.NewComparer(compiled(b, open(b).Rules)), harmless(b)
	for b.Loop() {
		comparer.Compare(m)
	}
}

func ExampleRun() {
	before, _ := ruleset.Open("")
	after, err := ruleset.Open("testdata/eager")
	if err != nil {
		panic(err)
	}
	report, err := diff.Run(context.Background(), before, after, diff.Options{})
	for _, c := range report.Changes[:1] {
		fmt.Println(c.Risk, c.Name, c.Before.Action, "->", c.After.Action)
	}
	fmt.Println(report.Holds(), err)
	// Output:
	// riskier momo/in-doubt->eager query_status -> retry_new_request
	// false <nil>
}
