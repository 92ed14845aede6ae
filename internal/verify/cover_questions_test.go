//go:build !race

package verify

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// Rules that a cover proves are asked nothing that the cover's search was not: else they could decide there what nothing has followed.
func TestCoveredRulesAreAskedNothingElse(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	covered := 0
	for seed := range uint64(testkit.Size(4, 4, 60)) {
		r := draw.From(5000 + seed)
		k, err := OpenKnown(filepath.Join(t.TempDir(), "known.json"))
		if err != nil {
			t.Fatal(err)
		}
		f := drawFolder(r, string(mill))
		for range 6 {
			e := f.open(t)
			b := &batch{e: e, o: &Options{Known: k, MaxStates: 4_000}, s: space.New(e)}
			p := policy.Payment{Provider: "mill", Merchant: "some", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
			terms, err := termsKey(e, &p)
			if err != nil {
				t.Fatal(err)
			}
			g, tables, err := b.ground([]*job{{payment: p}}, space.Bit(policy.Auto, policy.Manual))
			if err != nil {
				t.Fatal(err)
			}
			g.name = g.key(tables[0].payment, terms, false, b.o.maxStates())
			s, err := b.search(t.Context(), g, tables)
			if err != nil {
				t.Fatal(err)
			}
			if c := k.covering(g.name, tables[0]); c != nil {
				covered++
				asked, classes := map[cellKey]bool{}, tables[0].facts.named()
				for i := range c.Asked {
					if key, ok := c.Asked[i].asks(classes); ok {
						asked[key] = true
					}
				}
				for key := range s.m.decider.memo {
					if !asked[key] {
						t.Errorf("seed %d: the rules are asked about %v of %v, which their cover's search did not ask\n%s", seed, key.at, key.asked.fact, f.text())
						break
					}
				}
				if !s.holds() {
					t.Errorf("seed %d: a cover proves what a search refuses\n%s", seed, f.text())
				}
			}
			if s.holds() {
				k.addCover(g.name, s, &needed{})
			}
			f.edit(r)
		}
	}
	t.Log(covered, "covered")
	if covered == 0 {
		t.Error("nothing is covered: nothing is compared")
	}
}
