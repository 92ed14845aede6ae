//go:build !race

package verify

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// propertiesBroken searches a contract's rules while the provider breaks its contract, coarsely or
// exactly, and returns the properties that break.
func propertiesBroken(t *testing.T, e *ruleset.Engine, rules string, l breaches, coarse bool, stop flow.Property) []flow.Property {
	t.Helper()
	m, err := newModel(e, mill(rules), coarse, false)
	if err != nil {
		t.Fatal(err)
	}
	m.breaches = l
	s := newSearch(m)
	s.maxStates = 100_000
	var broken []flow.Property
	s.stop = func(f *finding) bool {
		if !slices.Contains(broken, f.property) {
			broken = append(broken, f.property)
		}
		return f.property == stop
	}
	if err := s.run(context.Background()); err != nil && !errors.As(err, &errTooMany{}) {
		t.Fatal(err)
	}
	return broken
}

// The proof needs each assumption about the provider. Without one of them, while the flow still
// relies on it, a property breaks under rules that hold.
func TestEachAssumptionIsNeeded(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, rules string
		breach      breaches
		want        flow.Property
	}{
		{"what is deduped is executed again", "replay", breaches{reexecutes: true}, flow.S1},
		{"a refused repeat is executed", "rejected", breaches{reexecutes: true}, flow.S1},
		{"it forgets before its window is over", "replay", breaches{dedupesTooShort: true}, flow.S1},
		{"a request arrives after the grace", "grace", breaches{arrivesLate: true}, flow.S2},
		{"a request arrives after the grace, and is paid twice", "grace", breaches{arrivesLate: true}, flow.S1},
		{"not found, though it arrived long ago", "grace", breaches{queryMisses: true}, flow.S2},
		{"a webhook states what is false", "hook", breaches{falseWebhook: true}, flow.S2},
		{"a refusal by its code was executed", "plain", breaches{falseRefusal: true}, flow.S2},
		{"a refusal by its code was executed, and is paid twice", "plain", breaches{falseRefusal: true}, flow.S1},
	}[:testkit.Size(1, 3, 9)] {
		t.Run(c.name, func(t *testing.T) {
			if got := propertiesBroken(t, e, c.rules, breaches{}, true, ""); len(got) > 0 {
				t.Fatalf("%s does not hold without a breach: %v", c.rules, got)
			}
			for _, coarse := range []bool{true, false} {
				if got := propertiesBroken(t, e, c.rules, c.breach, coarse, c.want); !slices.Contains(got, c.want) {
					t.Errorf("coarse %v: %s is not found to break, but %v", coarse, c.want, got)
				}
			}
		})
	}
}

// The contract does not forbid a provider to withdraw a refusal before anything else was sent,
// or another client to pay under our order. The properties hold in both cases.
func TestBeyondTheContract(t *testing.T) {
	if testkit.Short() {
		return
	}
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []breaches{{retracts: true}, {foreign: true}} {
		if got := propertiesBroken(t, e, "plain", l, true, ""); len(got) > 0 {
			t.Errorf("%+v: %v", l, got)
		}
	}
}
