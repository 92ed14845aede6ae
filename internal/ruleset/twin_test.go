package ruleset

import (
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// A twin decides as the documentation says it, with none of the engine's cleverness:
// rule after rule, each condition whole, by expr itself.
type twin struct {
	rules    *rules.Set
	programs map[*rules.Rule]*vm.Program
	machine  vm.VM
}

func newTwin(t testkit.Failer, e *Engine) *twin {
	t.Helper()
	tw := &twin{rules: e.Rules, programs: map[*rules.Rule]*vm.Program{}}
	tw.compile(t, e.Rules.Baseline)
	for _, f := range e.Rules.Providers {
		tw.compile(t, f)
	}
	for _, f := range e.Rules.Merchants {
		tw.compile(t, f)
	}
	return tw
}

func (tw *twin) compile(t testkit.Failer, f *rules.File) {
	t.Helper()
	for _, r := range f.Rules {
		program, err := expr.Compile(r.When, expr.Env(env{}), expr.AsBool())
		if err != nil {
			t.Fatalf("the twin cannot compile rule %q: %v", r.ID, err)
		}
		tw.programs[r] = program
	}
}

func (tw *twin) layers(s *policy.Situation) rules.Layers {
	return tw.rules.Layers(s.Payment.Provider, s.Payment.Merchant)
}

func (tw *twin) holds(r *rules.Rule, s *policy.Situation, zone *time.Location) bool {
	out, err := tw.machine.Run(tw.programs[r], makeEnv(s, s.Fired.Of(r.ID), zone))
	return err == nil && out == true
}

// first is the first of the rules that holds; nil when none does.
func (tw *twin) first(all []*rules.Rule, s *policy.Situation, zone *time.Location) *rules.Rule {
	for _, r := range all {
		if tw.holds(r, s, zone) {
			return r
		}
	}
	return nil
}

func (tw *twin) decide(s *policy.Situation) policy.Decision {
	layers := tw.layers(s)
	r := tw.first(layers.Rules(), s, layers.Timezone())
	switch {
	case r != nil && r.Schedule != "":
		return decision(r, layers.Schedule(r.Schedule))
	case r != nil && r.Then == policy.QueryStatus:
		return decision(r, layers.Schedule("poll"))
	case r != nil && r.Then.Sends():
		return decision(r, layers.Schedule("retry"))
	case r != nil:
		return decision(r, nil)
	case !s.InDoubt && (s.Fact.Effect == policy.Executed || s.Fact.Effect == policy.NotExecuted):
		return policy.Decision{Action: policy.Escalate}
	}
	return policy.Decision{Action: policy.QueryStatus, Schedule: layers.Schedule("poll")}
}

func decision(r *rules.Rule, when *policy.Schedule) policy.Decision {
	return policy.Decision{Action: r.Then, Rule: r.ID, Source: r.Source(), Reason: r.Reason, Schedule: when}
}

// agree holds an engine to its twin for one situation.
func agree(t testkit.Failer, e *Engine, tw *twin, s *policy.Situation) {
	t.Helper()
	got, want := e.Decide(s), tw.decide(s)
	if want.Rule == "" {
		got.Reason = "" // a decision without a rule gives its own
	}
	if got != want {
		t.Fatalf("%s\nthe engine decides %s\nthe twin decides   %s", shown(s), oneLine(got), oneLine(want))
	}
	layers, b := tw.layers(s), e.ruleTable(s.Payment)
	at := places(b)
	for _, r := range layers.Rules() {
		i, listed := at[r]
		candidate := listed && b.view().entries[i].candidate(s, b.zone)
		held := tw.holds(r, s, layers.Timezone())
		if held && !candidate {
			t.Fatalf("%s\nrule %q holds and is no candidate: %s", shown(s), r.ID, r.When)
		}
		plain := reading{s, s.Fired.Of(r.ID), layers.Timezone(), nil}
		if read, err := plain.holds(b.conditions[r].tree.Node); read != held || err != nil {
			t.Fatalf("%s\nrule %q holds: %t, and the plain reading says %t (%v): %s", shown(s), r.ID, held, read, err, r.When)
		}
		if listed && e.Holds(r, s) != held {
			t.Fatalf("%s\nrule %q holds: %t, and the compiled condition does not agree: %s", shown(s), r.ID, held, r.When)
		}
	}
}

// places finds a rule table's rules in its entries.
func places(b *ruleTable) map[*rules.Rule]int {
	at := map[*rules.Rule]int{}
	for i, en := range b.view().entries {
		at[en.rule] = i
	}
	return at
}

func TestDefaultsDecideLikeTheTwin(t *testing.T) {
	e := open(t, "")
	tw := newTwin(t, e)
	from := drawnFrom(e)
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			agree(t, e, tw, from.situation(t))
		}
	})
}

// Random situations are worth something only if they reach every rule.
func TestRandomSituationsReachEveryDefaultRule(t *testing.T) {
	e := open(t, "")
	from := drawnFrom(e)
	situations := rapid.Custom(from.situation)
	reached := map[string]int{}
	const draws = 10_000
	for seed := range draws {
		s := situations.Example(seed)
		reached[e.Decide(s).Source]++
	}
	for _, r := range allRules(e.Rules) {
		if reached[r.Source()] == 0 {
			t.Errorf("rule %q (%s) decides none of %d random situations", r.ID, r.Source(), draws)
		}
	}
}

func allRules(set *rules.Set) []*rules.Rule {
	all := append([]*rules.Rule(nil), set.Baseline.Rules...)
	for _, f := range set.Providers {
		all = append(all, f.Rules...)
	}
	for _, f := range set.Merchants {
		all = append(all, f.Rules...)
	}
	return all
}
