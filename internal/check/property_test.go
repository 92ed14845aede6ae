package check_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

var catalogs = sync.OnceValues(providers.Builtin)

func random(t *testing.T, seed uint64) *ruleset.Engine {
	t.Helper()
	cats, err := catalogs()
	if err != nil {
		t.Fatal(err)
	}
	for again := range uint64(100) { // some name what momo does not have
		if e, err := ruleset.New(cats, draw.Set(draw.From(seed+1000*again))); err == nil {
			return e
		}
	}
	t.Fatalf("seed %d: no set of rules compiles", seed)
	return nil
}

// On random rules, no random input reaches a rule that is reported as dead, and the engine
// confirms every witness.
func TestDeadRulesAreNeverReached(t *testing.T) {
	sets, inputs := testkit.Size(1, 6, 24), testkit.Size(10_000, 100_000, 100_000)
	dead, reached, silent := 0, 0, 0
	for seed := range uint64(sets) {
		e := random(t, seed)
		report, err := check.Run(context.Background(), e, check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		never := map[string]*check.Finding{}
		for i := range report.Findings {
			f := &report.Findings[i]
			switch f.Kind {
			case check.Dead, check.Unreachable, check.Contradiction:
				never[f.Rule] = f
				dead++
			default:
			}
			if f.Witness != nil {
				holds(t, e, f)
			}
		}
		r, situations := draw.From(seed), draw.Of(e)
		seen := map[string]bool{}
		for range inputs {
			sit := situations.One(r)
			d := e.Decide(&sit)
			if f := never[d.Rule]; f != nil {
				t.Fatalf("seed %d: rule %q is called %s (%s), and decides\n%+v\n%+v\n%+v", seed, d.Rule, f.Kind, f.Message, *sit.Payment, *sit.Answer, sit)
			}
			seen[d.Rule] = true
		}
		for _, rule := range space.AllRules(e.Rules) {
			switch {
			case seen[rule.ID]:
				reached++
			case never[rule.ID] == nil:
				silent++ // too narrow for random inputs; it is not reported, so there is nothing to contradict
			}
		}
	}
	t.Logf("%d rules called dead, %d reached, %d neither", dead, reached, silent)
	if !testkit.Short() && (dead < 6 || reached < 20) {
		t.Errorf("%d dead and %d reached rules are too few to tell", dead, reached)
	}
}

// holds decides a finding's witness again, and compares the decision with the message.
func holds(t *testing.T, e *ruleset.Engine, f *check.Finding) {
	t.Helper()
	sit := f.Witness.Situation
	d := e.Decide(&sit)
	if d.Rule != f.Witness.Rule || d.Action != f.Witness.Action {
		t.Errorf("the witness of %s (%s) is decided by %q %s", f.Message, f.Kind, d.Rule, d.Action)
	}
	own := held(e, &sit, f.Rule)
	switch f.Kind {
	case check.Dead, check.Shadowed, check.Overlap, check.PartlyDead:
		if d.Rule == f.Rule || !own {
			t.Errorf("%s (%s): its condition holds %t, and %q decides", f.Message, f.Kind, own, d.Rule)
		}
	case check.NoRule:
		if d.Rule != "" {
			t.Errorf("%s: rule %q decides", f.Message, d.Rule)
		}
	default:
	}
}

// held reports whether a rule's condition holds, by the engine's own explanation.
func held(e *ruleset.Engine, sit *policy.Situation, rule string) bool {
	for _, c := range e.Explain(sit).Rules {
		if c.ID == rule && c.Condition.Held {
			return true
		}
	}
	return false
}

// When check reports no gap, the engine has a rule for every random input.
func TestAnswersWithoutARuleAreReported(t *testing.T) {
	for seed := range uint64(testkit.Size(1, 3, 12)) {
		e := random(t, 100+seed)
		report, err := check.Run(context.Background(), e, check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		gaps := map[string]bool{}
		for _, f := range report.Findings {
			if f.Kind == check.NoRule || f.Kind == check.TooComplex {
				for _, m := range f.Merchants {
					gaps[strings.Join(f.Providers, "")+"/"+m] = true
				}
			}
		}
		r, situations := draw.From(seed), draw.Of(e)
		for range testkit.Size(5_000, 20_000, 20_000) {
			sit := situations.One(r)
			m := sit.Payment.Merchant
			if m != "alpha" {
				m = ""
			}
			if d := e.Decide(&sit); d.Rule == "" && !gaps[sit.Payment.Provider+"/"+m] {
				t.Fatalf("seed %d: no rule decides, and nothing is said of it:\n%+v\n%+v\n%+v", seed, *sit.Payment, *sit.Answer, sit)
			}
		}
	}
}
