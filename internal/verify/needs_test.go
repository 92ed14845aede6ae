package verify

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// searchOf searches the rules of a payment, with a provider that breaks its word.
func searchOf(t *testing.T, e *ruleset.Engine, p policy.Payment, b breaches) (*batch, *ground, *search) {
	t.Helper()
	s := space.New(e)
	g, err := newGround(e, s, p, space.Bit(p.Capture), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	one := newSearch(g.model([]*table{newTable(s, e, g.facts, p, nil, nil)}, false, true))
	one.m.breaches = b
	one.maxStates = DefaultMaxStates
	if err := one.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &batch{e: e, o: &Options{}, s: s}, g, one
}

// What is listed is enough: with all other promises withdrawn at once the proof stands. What is listed with what breaks without it is needed
// beside the rest of the list, or stands in for one that is not.
func TestWhatIsListedIsEnough(t *testing.T) {
	mutation, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	type one struct {
		e *ruleset.Engine
		p policy.Payment
	}
	all := map[string]one{}
	sets := []string{"plain", "hook", "silent", "grace", "replay", "rejected"}
	for _, name := range sets[:testkit.Size(3, 4, 6)] {
		all[name] = one{mutation, mill(name)}
	}
	for _, op := range []policy.Operation{policy.Unbind, policy.Refund, policy.Capture}[:testkit.Size(1, 1, 3)] {
		all["momo "+op.String()] = one{shipped, policy.Payment{Provider: "momo", Operation: op, Amount: 100, Currency: "VND"}}
	}
	seen := map[promise]bool{}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			b, g, s := searchOf(t, c.e, c.p, breaches{})
			if !s.holds() {
				t.Fatal("not proved:", s.found[0])
			}
			n, err := b.needs(context.Background(), g, s)
			if err != nil {
				t.Fatal(err)
			}
			rest := breaches{falseWebhook: !n.Phases[policy.Webhook]}
			for p := range promises {
				if breaks, needed := n.Promises[p]; !needed {
					kept[p].breach(&rest)
				} else if breaks != "" {
					seen[p] = true
				}
			}
			if _, _, left := searchOf(t, c.e, c.p, rest); !left.holds() {
				t.Errorf("with nothing but %v, and %+v: %v", n, rest, left.found[0])
			}
			for p, breaks := range n.Promises {
				if breaks == "" {
					continue
				}
				without := rest
				kept[p].breach(&without)
				if _, _, left := searchOf(t, c.e, c.p, without); left.holds() {
					t.Errorf("%s is listed as needed, and is not", kept[p].name)
				}
			}
		})
	}
	for p := range promises {
		if !seen[p] && testkit.Size(0, 1, 1) > 0 {
			t.Errorf("no product needs %s", kept[p].name)
		}
	}
}

// Each assumption says where it comes from, and which rules rely on it.
func TestAssumptionsHavePlaces(t *testing.T) {
	e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": `[contract]
arrival_grace = "2h"
[[rule]]
id = "again"
when = 'code == "1005"'
then = "query_status"
`}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), e, &Options{Providers: []string{"momo"}, Operations: []policy.Operation{policy.Refund}, Merchants: []string{"acme"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Assumption{}
	rows, own := 0, false
	for _, a := range r.Products[0].Assumptions {
		got[a.Promise] = a
		if a.Promise == "facts" {
			rows += len(a.From)
			own = own || fmt.Sprint(a.Rules) != "[]"
		}
	}
	if a := got["arrival_grace"]; len(a.From) != 1 || !strings.HasSuffix(a.From[0], "merchants/acme.toml:2:17") || a.Breaks == "" {
		t.Errorf("%+v", a)
	}
	if a := got["dedupe"]; len(a.From) != 3 || len(a.Rules) == 0 || a.Breaks != "S1" {
		t.Errorf("%+v", a)
	}
	if _, listed := got["not_found_after"]; listed || rows < 15 || !own {
		t.Errorf("%d rows; %+v", rows, got)
	}
}
