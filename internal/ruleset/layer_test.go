package ruleset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// A rule stands in the lists of the texts that it names, and in no others: what a decision tries does not
// grow with the rules.
func TestListsDoNotGrowWithTheRules(t *testing.T) {
	p := paying("fifth", "")
	l := thousand(t, 0).ruleTable(&p).below.layer
	if len(l.indexes) != 1 || l.indexes[0].of != (accessor{variable: condition.Code}) {
		t.Fatalf("the indexes are %+v", l.indexes)
	}
	for i := range 1000 {
		code := fmt.Sprint("c", i)
		if at := l.indexes[0].byText.find(code, hashOf(code)); at == nil || at.to-at.from != 1 {
			t.Errorf("for code %q are listed %v", code, at)
		}
	}
	if at := l.indexes[0].byText.find("c1000", hashOf("c1000")); at != nil {
		t.Errorf("for a code that no rule names are listed %v", at)
	}
	if len(l.items) != 1000 {
		t.Errorf("%d items are listed", len(l.items))
	}
}

// Rules that exclude one value each would fill every list; then there is one.
func TestListsOfRulesThatExcludeAreBounded(t *testing.T) {
	var text strings.Builder
	classes, ops := variables["class"].words, variables["operation"].words
	for i := range 400 {
		text.WriteString(rule(fmt.Sprint("r", i), fmt.Sprintf("class != %q && operation != %q && attempt == %d", classes[i%32], ops[i%9], i), "escalate"))
	}
	e := opened(t, alone(t, map[string]string{"baseline.toml": text.String()}))
	p := paying("momo", "")
	if n := len(e.ruleTable(&p).below.items); n > mostCopies*400 {
		t.Errorf("%d items are listed for 400 rules", n)
	}
	for i := range 400 {
		s := judged(e, p, policy.Answer{Code: "0"})
		s.Attempt, s.Fact.Class = i, policy.Class(i%31)
		want := fmt.Sprint("r", i)
		if i%32 == i%31 || i%9 == int(policy.Pay) {
			want = ""
		}
		if got := e.Decide(s); got.Rule != want {
			t.Errorf("attempt %d is decided by %q, want %q", i, got.Rule, want)
		}
	}
}

// Merchants whose rules are the same share what is compiled of them, and each decision still names the
// merchant's own file.
func TestMerchantsThatDifferInNothingShareALayer(t *testing.T) {
	same := rule("mine", `code == "1001" && attempt < 3`, "escalate")
	e := opened(t, map[string]string{
		"merchants/one.toml": same, "merchants/two.toml": "# the same\n" + same,
		"merchants/six.toml": strings.Replace(same, "escalate", "query_status", 1),
		"merchants/off.toml": "disable = ['in-doubt']\n" + same,
	})
	at := func(m string) *ruleTable { p := paying("momo", m); return e.ruleTable(&p) }
	one, two, six, off := at("one"), at("two"), at("six"), at("off")
	if one.own.layer != two.own.layer || one.below.layer != two.below.layer || one.own.layer != e.ruleTables["opi"].own["one"].own.layer {
		t.Error("two merchants that differ in nothing have tables of their own")
	}
	if one.own.layer == six.own.layer || one.below.layer != six.below.layer || one.below.layer == off.below.layer {
		t.Error("merchants that differ share too much, or too little")
	}
	for m, line := range map[string]string{"one": "one.toml:1", "two": "two.toml:2"} {
		if d := e.Decide(judged(e, paying("momo", m), policy.Answer{Code: "1001"})); !strings.HasSuffix(d.Source, line) {
			t.Errorf("%s: the decision is of %s, want %s", m, d.Source, line)
		}
	}
}

// Rules that name texts of several kinds are found by each of them, in their order.
func TestIndexesOfSeveralKinds(t *testing.T) {
	var text strings.Builder
	kinds := []string{`code == "%d"`, `status in ["%d", "x%[1]d"]`, `tags.shop == "%d"`, `merchant == "%d"`, `message == "%d"`, `tags["a shop"] == "%d"`}
	rng := 10
	var n int
	for i := range rng {
		for _, k := range kinds {
			text.WriteString(rule(fmt.Sprint("r", n), fmt.Sprintf(k, i)+fmt.Sprintf(" && attempt <= %d", n), "escalate"))
			n++
		}
	}
	files := map[string]string{"baseline.toml": text.String()}
	var codes strings.Builder
	codes.WriteString("name = \"fifth\"\noperations = [\"pay\"]\n")
	for i := range rng {
		const facts = "facts = [{ operation = \"*\", phase = [\"send\"], effect = \"unknown\", stage = \"result\" }]\n"
		fmt.Fprintf(&codes, "[[code]]\ncode = \"%d\"\nclass = \"provider_error\"\n%s", i, facts)
		fmt.Fprintf(&codes, "[[status]]\nstatus = \"%d\"\nclass = \"provider_error\"\n%s", i, facts)
		fmt.Fprintf(&codes, "[[status]]\nstatus = \"x%d\"\nclass = \"provider_error\"\n%s", i, facts)
	}
	files["providers/fifth.toml"] = codes.String()
	e := opened(t, alone(t, files))
	tw := newTwin(t, e)
	if got := len(e.ruleTables["fifth"].rest.below.indexes); got != len(kinds) {
		t.Errorf("%d indexes for %d kinds of texts", got, len(kinds))
	}
	for i := range 3000 {
		p := paying("fifth", fmt.Sprint(i%7))
		p.Tags = map[string]string{"shop": fmt.Sprint(i % 11), "a shop": fmt.Sprint(i % 13)}
		s := judged(e, p, policy.Answer{Code: fmt.Sprint(i % 17), Status: fmt.Sprint("x", i%19), Message: fmt.Sprint(i % 23)})
		s.Attempt = i % 60
		if got, want := e.Decide(s), tw.decide(s); got.Rule != want.Rule {
			t.Fatalf("%s\ndecides %s, and the twin %s", shown(s), oneLine(got), oneLine(want))
		}
	}
}
