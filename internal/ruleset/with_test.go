package ruleset_test

import (
	"maps"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// changed is the default rules with another condition of the first rule of a file.
func changed(set *rules.Set, momo *rules.File, when string) *rules.Set {
	rule := *momo.Rules[0]
	rule.When = when
	file := *momo
	file.Rules = append([]*rules.Rule{&rule}, momo.Rules[1:]...)
	next := *set
	next.Providers = maps.Clone(set.Providers)
	next.Providers["momo"] = &file
	return &next
}

// A variant decides as an engine that was compiled anew, and the engine itself as before.
func TestWithIsANewEngine(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	set := changed(e.Rules, e.Rules.Providers["momo"], `phase == "query" && attempt > 1`)
	variant, err := e.With(set)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := ruleset.New(e.Catalogs, set)
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for _, provider := range append(e.Catalogs.Names(), "nobody") {
		for _, merchant := range append(set.MerchantNames(), "", "nobody") {
			for attempt := range 4 {
				for _, phase := range policy.Phases() {
					s := policy.Situation{
						Payment: &policy.Payment{Provider: provider, Merchant: merchant, Operation: policy.Pay},
						Answer:  &policy.Answer{Phase: phase, Code: "42"}, Fact: policy.Fact{Class: policy.NotFound}, InDoubt: true, Attempt: attempt,
					}
					was, is, want := e.Decide(&s), variant.Decide(&s), fresh.Decide(&s)
					if is.Rule != want.Rule || is.Action != want.Action {
						t.Errorf("%s %s %s attempt %d: %s, want %s", provider, merchant, phase, attempt, is.Rule, want.Rule)
					}
					if was.Rule != is.Rule {
						differ++
					}
				}
			}
		}
	}
	if differ == 0 {
		t.Error("the change changes nothing")
	}
}

func TestWithRefusesMistakes(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.With(changed(e.Rules, e.Rules.Providers["momo"], `attempt == "one"`)); err == nil {
		t.Error("a wrong type is accepted")
	}
}

// The parts of a condition are those of its source, none of them settled beforehand.
func TestLeaves(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	r := &rules.Rule{ID: "r", When: `provider == "momo" && !(code in ["1", "2"] or fired < 2) && tags["a"] == "b"`}
	l, err := ruleset.LeavesOf(r)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, leaf := range l.List {
		texts = append(texts, leaf.Text)
	}
	if len(texts) != 4 || texts[0] != `provider == "momo"` || texts[2] != "fired < 2" {
		t.Fatalf("the parts are %q", texts)
	}
	held := make([]bool, 4)
	l.Hold(e, &policy.Situation{
		Payment: &policy.Payment{Provider: "momo", Tags: map[string]string{"a": "c"}}, Answer: &policy.Answer{Code: "2"}, Fired: policy.Counts{{Name: "r", N: 2}},
	}, held)
	for i, want := range []bool{true, true, false, false} {
		if held[i] != want {
			t.Errorf("%s holds: %t", texts[i], held[i])
		}
	}
	if _, err := ruleset.LeavesOf(&rules.Rule{When: "a &&"}); err == nil {
		t.Error("half a condition is taken apart")
	}
}
