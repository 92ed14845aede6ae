package diff

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

func TestMain(m *testing.M) { testkit.RunSearches(m) }

// agree compares with groups and memos, and without any, and wants the same report.
func agree(t *testing.T, before, after *ruleset.Engine, only ...string) (changes, groups int) {
	t.Helper()
	var texts [2]string
	for i := range texts {
		d := newDiffer(before, after)
		d.plain = i == 1
		report, err := d.run(context.Background(), Options{Providers: only})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.MarshalIndent(report, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(raw)
		if i == 0 {
			changes, groups = len(report.Changes), len(d.groups)
		}
	}
	if texts[0] != texts[1] {
		i := 0
		for texts[0][i] == texts[1][i] {
			i++
		}
		from := max(0, i-1500)
		t.Fatalf("the report with groups is another one than the plain one:\n%s\n\n%s", texts[0][from:i+200], texts[1][from:i+200])
	}
	return changes, groups
}

// shared returns random rules whose merchants share rules: some under another schedule, with another rule switched off, or with
// a condition that asks for the merchant.
func shared(r draw.Rand) *rules.Set {
	set := draw.Set(r)
	alpha := set.Merchants["alpha"]
	for _, f := range set.Files() {
		for i, rule := range f.Rules {
			if i > 0 {
				rule.When = draw.Condition(r, 1) // larger ones are for the other tests
			}
		}
	}
	for i, name := range []string{"beta", "delta", "gamma", "omega"} {
		f := *alpha
		f.Name, f.Merchant = "merchants/"+name+".toml", name
		f.Rules = nil
		for _, rule := range alpha.Rules {
			own := *rule
			own.Pos = source.Pos{File: f.Name, Line: rule.Pos.Line + i}
			f.Rules = append(f.Rules, &own)
		}
		switch {
		case name == "beta":
			f.Schedules = map[string]*policy.Schedule{"retry": {Name: "retry", Intervals: alpha.Schedules["retry"].Intervals, MaxInterval: 1}}
		case name == "delta" && len(f.Rules) > 0:
			f.Rules[0].When = `merchant in ["delta", "beta"] && (` + f.Rules[0].When + ")"
		case name == "gamma":
			f.Disable = []rules.Disabled{{ID: draw.One(r, set.Baseline.Rules...).ID}}
		}
		set.Merchants[name] = &f
	}
	return set
}

// otherwise returns the same rules with some merchant's or layer's rule changed, and one merchant fewer.
func otherwise(r draw.Rand, set *rules.Set) *rules.Set {
	out := &rules.Set{Baseline: set.Baseline, Providers: set.Providers, Merchants: map[string]*rules.File{}}
	for name, f := range set.Merchants {
		if name != "omega" {
			out.Merchants[name] = f
		}
	}
	change := func(f *rules.File) *rules.File {
		g := *f
		g.Rules = append([]*rules.Rule(nil), f.Rules...)
		if len(g.Rules) > 0 {
			i := r.IntN(len(g.Rules))
			g.Rules[i] = draw.Rule(r, g.Rules[i].ID, g.Rules[i].Pos)
		}
		return &g
	}
	out.Baseline = change(set.Baseline)
	for _, name := range []string{"alpha", "gamma"} {
		out.Merchants[name] = change(out.Merchants[name])
	}
	return out
}

// What is found once for many merchants is what is found for each alone.
func TestGroupsAgreeWithThePlainTwin(t *testing.T) {
	catalogs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	extended, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := extended.AddFS(fstest.MapFS{"providers/momo.toml": {Data: []byte(`name = "momo"
[[code]]
code  = "99991"
class = "issuer_declined"
facts = [{ operation = "pay", phase = ["send"], effect = "not_executed", stage = "result", because = "they said so" }]
`)}}, ""); err != nil {
		t.Fatal(err)
	}
	changes, compared := 0, 0
	for seed := uint64(0); compared < testkit.Size(3, 12, 60); seed++ {
		r := draw.From(seed)
		set := shared(r)
		before, err1 := ruleset.New(catalogs, set)
		after, err2 := ruleset.New([]*providers.Catalogs{catalogs, extended}[seed%2], otherwise(r, set))
		if err1 != nil || err2 != nil {
			continue // some name what momo does not have
		}
		compared++
		n, _ := agree(t, before, after, "momo")
		changes += n
	}
	if changes < 20 {
		t.Errorf("%d changes are too few to tell", changes)
	}
}

// Merchants that share a file are one group, and the report names each of them.
func TestMerchantsOfOneTemplateAreOneGroup(t *testing.T) {
	folder := func(later bool) *ruleset.Engine {
		files, some := draw.Merchants(500, later), map[string]string{}
		for _, m := range []int{0, 100, 1, 101, 300, 301, 401, 2, 102}[:testkit.Size(4, 9, 9)] {
			if name := fmt.Sprintf("merchants/m%04d.toml", m); later || m%2 == 0 {
				some[name] = files[name]
			}
		}
		e, err := ruleset.Open(testkit.Dir(t, some))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	before, after := folder(false), folder(true)
	changes, groups := agree(t, before, after)
	if lists := (1 + len(after.Rules.Merchants)) * len(after.Catalogs.Names()); groups >= lists || changes < testkit.Size(20, 50, 50) {
		t.Errorf("%d changes in %d groups of %d pairs of lists", changes, groups, lists)
	}
}

// Merchants whose rules are the same, and whose waits are not, are different groups.
func TestMerchantsWithOtherWaitsAreOtherGroups(t *testing.T) {
	folder := func(acme, bravo string) *ruleset.Engine {
		file := func(wait string) string {
			return "[schedule.own]\nintervals = [\"" + wait + "\"]\n[[rule]]\nid = \"again\"\nwhen = 'class == \"maintenance\" && effect == \"not_executed\" && !in_doubt && fired < 2'\n" +
				"then = \"retry_new_request\"\nschedule = \"own\"\n"
		}
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": file(acme), "merchants/bravo.toml": file(bravo)}))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	before, after := folder("1m", "1m"), folder("1m", "2m")
	agree(t, before, after, "momo")
	report, err := Run(context.Background(), before, after, Options{Providers: []string{"momo"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Changes {
		if len(c.Merchants) != 1 || c.Merchants[0] != "bravo" {
			t.Errorf("%s changes for %v", c.Name, c.Merchants)
		}
	}
	if len(report.Changes) == 0 {
		t.Error("another wait is no change")
	}
}
