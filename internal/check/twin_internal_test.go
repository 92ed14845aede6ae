package check

import (
	"context"
	"testing"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

func newChecker(e *ruleset.Engine) *checker {
	c := &checker{
		e: e, s: space.New(e), report: &Report{}, providers: e.Catalogs.Names(), merchants: []string{""},
		of: map[*rules.Rule]*checkedRule{}, base: map[string]*listOutcomes{}, index: map[string]*space.Index{},
	}
	c.collect()
	c.reach = reachAll(e, c.providers, c.merchants)
	for p, all := range c.reach {
		c.index[p] = space.NewIndex(all)
	}
	return c
}

// In a condition whose parts are apart, changing them one at a time finds nothing.
func TestPartsThatAreApartAllCount(t *testing.T) {
	catalogs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	apart, compared := 0, 0
	for seed := uint64(0); compared < testkit.Size(60, 400, 2000); seed++ {
		e, err := ruleset.New(catalogs, draw.Set(draw.From(seed)))
		if err != nil {
			continue
		}
		compared++
		c := &checker{e: e, s: space.New(e), of: map[*rules.Rule]*checkedRule{}}
		for _, f := range space.Files(e.Rules) {
			for _, r := range f.Rules {
				node, err := condition.Parse(r.When)
				if err != nil {
					t.Fatal(err)
				}
				p := partChecker{checker: c, r: &checkedRule{Rule: r, file: f, cond: c.s.Of(e, r)}, tree: &node}
				p.collectParts(p.tree)
				if p.r.cond.Err != nil || !p.apart() {
					continue
				}
				apart++
				if p.constants(); len(p.found) > 0 {
					t.Fatalf("seed %d: %s: parts are called apart, and %s", seed, r.When, p.found[0].Message)
				}
			}
		}
	}
	if apart < 40 {
		t.Errorf("%d conditions are too few to tell", apart)
	}
}

// What is reused of the list without a merchant is what a merchant's list comes to by itself.
func TestReusedOutcomesAreThoseFoundAnew(t *testing.T) {
	files, some := draw.Merchants(90, true), map[string]string{
		// One that covers a rule of the layers below, and one that leaves a little of it.
		"merchants/all.toml":  "[[rule]]\nid = \"all\"\nwhen = 'effect == \"executed\"'\nthen = \"escalate\"\n",
		"merchants/most.toml": "[[rule]]\nid = \"most\"\nwhen = 'effect == \"executed\" && amount != 7'\nthen = \"escalate\"\n",
	}
	for _, name := range []string{"m0000", "m0001", "m0002", "m0041", "m0077"}[:testkit.Size(2, 5, 5)] {
		some["merchants/"+name+".toml"] = files["merchants/"+name+".toml"]
	}
	e, err := ruleset.Open(testkit.Dir(t, some))
	if err != nil {
		t.Fatal(err)
	}
	c, plain := newChecker(e), newChecker(e)
	ctx, reused := context.Background(), 0
	for _, p := range c.providers {
		c.base[p] = c.judge(ctx, p, "")
	}
	for _, l := range c.lists() {
		v, w := c.judge(ctx, l.provider, l.merchant), plain.judge(ctx, l.provider, l.merchant)
		for i := range v.outcomes {
			if v.outcomes[i].state != w.outcomes[i].state {
				t.Errorf("%v: rule %s is %d, and %d found anew", l, v.list.Rulings[i].Rule.ID, v.outcomes[i].state, w.outcomes[i].state)
			}
		}
		reused += v.kept
	}
	if reused < 50 {
		t.Errorf("%d outcomes are too few to tell", reused)
	}
}
