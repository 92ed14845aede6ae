package adversary

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// What the flow shows to the rules of a drawn set, in any walk, the search that proved the set has considered, in such a state and by such
// an event. What it has not is a kind of rules that can be called proved and are not safe.
func TestSearchesConsiderWhatFlowsShow(t *testing.T) {
	shipped, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	decisions := 0
	for number := *flagFirst; number < *flagFirst+testkit.Size(12, 12, 40); number++ {
		seed := (*flagSeed+40)*1_000_003 + uint64(number)
		s, _ := drawSet(seed, shipped, false)
		if s.provider != "mini" && testkit.Short() {
			continue
		}
		if e, err := s.open(); err == nil {
			decisions += considers(t, fmt.Sprint("set ", number), e, s.product, seed, testkit.Size(4_000, 10_000, 30_000), testkit.Size(4_000, 4_000, 20_000), s.beside...)
		}
	}
	if decisions < 1_000 {
		t.Error("only", decisions, "decisions of walks")
	}
}

// The same of the rules that are shipped, of every provider and operation.
func TestSearchesConsiderWhatShippedRulesAreShown(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range e.Catalogs.Names() {
		c, err := e.Catalogs.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for k, op := range c.Operations {
			if k > 0 && !testkit.Slow {
				break
			}
			if p := (product{name, op, ""}); considers(t, "shipped", e, p, 1, 60_000, testkit.Size(1_000, 2_000, 20_000)) == 0 {
				t.Error(name, op, "is not proved, or asks its rules nothing")
			}
		}
	}
}

// considers walks a product that is proved, and returns how many decisions were looked at.
func considers(t *testing.T, name string, e *ruleset.Engine, p product, seed uint64, states, steps int, beside ...string) (looked int) {
	t.Helper()
	var mu sync.Mutex
	var searches []*verify.Considered
	r, err := verify.Run(context.Background(), e, &verify.Options{
		Providers: []string{p.provider}, Operations: []policy.Operation{p.op}, Merchants: append([]string{p.merchant}, beside...), MaxStates: states, Workers: 1,
		VerdictOnly: true, FirstOnly: true,
		Considered: func(c *verify.Considered) { mu.Lock(); defer mu.Unlock(); searches = append(searches, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Holds {
		return 0
	}
	strange := map[string]int{}
	_, _, err = playWatched(e, p, seed, steps, newCoverage(), func(sit *policy.Situation, before *flow.State, ev flow.Event) {
		looked++
		if !slices.ContainsFunc(searches, func(c *verify.Considered) bool { return c.Of(p.merchant, sit.Payment) && c.Has(sit, before, ev) }) {
			strange[shows(sit, before, ev)]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range slices.Sorted(maps.Keys(strange))[:min(3, len(strange))] {
		t.Errorf("%s, %s %s %q, seed %d, %d of %d decisions: %s", name, p.provider, p.op, p.merchant, seed, strange[text], looked, text)
	}
	return looked
}

// shows describes what the search has not considered.
func shows(sit *policy.Situation, before *flow.State, e flow.Event) string {
	text := fmt.Sprintf("the rules are shown %+v, in doubt %t, after %s\n  by a flow that is %q:", sit.Fact, sit.InDoubt, happens(e), before.Stage)
	for i := range before.Ledger {
		id := &before.Ledger[i]
		text += fmt.Sprintf("\n  %s %s, the provider's %q: %s, sent %d, copies %d, mismatch %t, disputed %t, reopened %t", id.OrderID, id.RequestID, id.ProviderID, id.Effect, id.Sends,
			id.Copies, id.Mismatch, id.Disputed, id.Reopened)
	}
	return text
}
