package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// What merchants decide is the same with the shared rules looked at for each of them, and once for all.
func TestDecisionsAreTheOptions(t *testing.T) {
	r := draw.From(7)
	files := map[string]string{}
	for i := range testkit.Size(12, 12, 200) {
		files[fmt.Sprintf("merchants/m%d.toml", i)] = drawnOwn(r)
	}
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	compared, quick := 0, 0
	for _, p := range []policy.Payment{{Provider: "opi", Operation: policy.Payout, Amount: 100, Currency: "PHP"}, {Provider: "momo", Operation: policy.Unbind, Amount: 100, Currency: "VND"}} {
		g, err := newGround(e, space.New(e), p, space.Bit(policy.Auto, policy.Manual), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		everyone := newTable(g.space, e, g.facts, p, nil, nil)
		tables := []*table{everyone}
		for _, m := range e.Rules.MerchantNames() {
			p.Merchant = m
			tables = append(tables, newTable(g.space, e, g.facts, p, nil, everyone))
		}
		s := newSearch(g.model(tables, false, true))
		s.maxStates = 300
		_ = s.run(context.Background())
		s.questions(func(key *cellKey) {
			for _, j := range key.asked.groups {
				for _, f := range g.facts.shownFor(&key.at, g.facts.groups[key.at.phase][j].fact) {
					at := shown{key.at.phase, f, key.at.doubt}
					for _, one := range tables {
						b := one.book(&at)
						var want, got []string
						for _, o := range one.of(at.phase, b, j) {
							want = append(want, o.decision.Source)
						}
						for _, d := range one.decisions(at.phase, b, j) {
							got = append(got, d.Source)
						}
						compared++
						if b.base != nil && one.leavesAll(at.phase, b, j) {
							quick++
						}
						if !slices.Equal(got, want) {
							t.Fatalf("%s, %+v, group %d: %v, and each rule by itself gives %v", one.payment.Merchant, at, j, got, want)
						}
					}
				}
			}
		})
	}
	t.Log(compared, "questions,", quick, "of them with the shared rules looked at once")
	if quick < 100 || quick > compared*9/10 {
		t.Error("too few of one kind to say anything")
	}
}

// drawnOwn draws a merchant's rules: limited in the payment, in the answer, in both, or in nothing.
func drawnOwn(r draw.Rand) string {
	var b strings.Builder
	for i := range 1 + r.IntN(3) {
		when := draw.One(r, `effect == "not_executed"`, `effect == "unknown"`, `class == "network_error"`, `phase == "query"`, `fault == "timeout"`, `code startsWith "1"`, `true`)
		when += draw.One(r, ``, ` && amount > 5000`, ` && amount <= 5000`, ` && amount > 9000`, ` && currency == "PHP"`, ` && hour < 9`, ` && hour >= 9`, ` && attempt < 2`, ` && fired < 2`, ` && !in_doubt`, ` && tags.tier == "gold"`)
		when += draw.One(r, ``, ``, ` && amount > 7000`, ` && currency == "VND"`, ` || amount > 100`, ` && message contains "x"`)
		fmt.Fprintf(&b, "[[rule]]\nid = \"own-%d\"\nwhen = '%s'\nthen = %q\n", i, when, draw.One(r, policy.All[policy.Action]()...).String())
	}
	return b.String()
}

// A rule that leaves no payment to the shared rules leaves them nothing: what they would decide is not among the decisions.
func TestOwnRulesMayLeaveNothing(t *testing.T) {
	whole := func(when ...string) string {
		var b strings.Builder
		for i, w := range when {
			fmt.Fprintf(&b, "[[rule]]\nid = \"own-%d\"\nwhen = '%s'\nthen = \"escalate\"\n", i, w)
		}
		return b.String()
	}
	e, err := ruleset.Open(testkit.Dir(t, map[string]string{
		"merchants/halves.toml": whole(`amount > 5000`, `amount <= 5000`), "merchants/gap.toml": whole(`amount > 5000`, `amount < 5000`), "merchants/two.toml": whole(`amount > 5000`, `hour < 9`),
	}))
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Payment{Provider: "opi", Operation: policy.Payout, Amount: 100, Currency: "PHP"}
	g, err := newGround(e, space.New(e), p, space.Bit(policy.Auto, policy.Manual), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	base := newTable(g.space, e, g.facts, p, nil, nil)
	at := shown{phase: policy.Send, fact: g.facts.groups[policy.Send][0].fact}
	for merchant, whole := range map[string]bool{"halves": true, "gap": false, "two": false} {
		p.Merchant = merchant
		one := newTable(g.space, e, g.facts, p, nil, base)
		all := one.decisions(policy.Send, one.book(&at), 0)
		if ended := !slices.ContainsFunc(all, func(d *policy.Decision) bool { return !strings.HasPrefix(d.Rule, "own-") }); ended != whole {
			t.Errorf("%s: %d decisions, and only the merchant's own: %v", merchant, len(all), ended)
		}
	}
}
