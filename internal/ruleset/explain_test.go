package ruleset

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

func TestExplainAgreesWithDecide(t *testing.T) {
	defaults := open(t, "")
	tw := newTwin(t, defaults)
	from := drawnFrom(defaults)
	rapid.Check(t, func(t *rapid.T) {
		explained(t, defaults, tw, from.situation(t))
	})
}

func TestExplainAgreesWithDecideForRandomRules(t *testing.T) {
	under := t.TempDir()
	empty := alone(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(under, "rules")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer os.RemoveAll(dir)
		g := grammar{t: t, texts: anyTexts}
		files := maps.Clone(empty)
		files["baseline.toml"], _ = g.rules(2)
		testkit.Write(t, dir, files)
		e := open(t, dir)
		explained(t, e, newTwin(t, e), drawnFrom(e).situation(t))
	})
}

// explained holds a trace to the decision, to the twin and to the index.
func explained(t testkit.Failer, e *Engine, tw *twin, s *policy.Situation) {
	t.Helper()
	trace, want := e.Explain(s), e.Decide(s)
	if trace.Decision != want || trace.Fact != s.Fact {
		t.Fatalf("%s\nexplained is %+v about %+v\ndecided is %+v", shown(s), trace.Decision, trace.Fact, want)
	}
	layers, b := tw.layers(s), e.ruleTable(s.Payment)
	at := places(b)
	left, decided := trace.Rules, ""
	for _, r := range layers.Rules() {
		held := tw.holds(r, s, layers.Timezone())
		if len(left) == 0 || left[0].Source != r.Source() {
			if held {
				t.Fatalf("%s\nrule %q held and is not explained in its place", shown(s), r.ID)
			}
			continue
		}
		c := left[0]
		left = left[1:]
		i, listed := at[r]
		switch {
		case c.ID != r.ID || c.When != r.When || c.Then != r.Then:
			t.Fatalf("%+v is explained where rule %q stands", c, r.ID)
		case c.Held != held || c.Condition.Held != held:
			t.Fatalf("%s\nrule %q held: %t, and the trace says %t: %s", shown(s), r.ID, held, c.Held, c.When)
		case c.Candidate != (listed && b.view().entries[i].candidate(s, b.zone)) || c.Held && !c.Candidate:
			t.Fatalf("%s\nrule %q held: %t, and is called a candidate: %t", shown(s), r.ID, held, c.Candidate)
		case c.Decided != (held && decided == ""):
			t.Fatalf("%s\nrule %q held: %t after %q, and decided: %t", shown(s), r.ID, held, decided, c.Decided)
		case c.Decided:
			decided = r.ID
		}
		parted(t, c.Condition)
		evaluated(t, &c.Condition, reading{s, s.Fired.Of(r.ID), layers.Timezone(), nil})
	}
	if len(left) > 0 {
		t.Fatalf("%s\nexplained out of its place or twice: %+v", shown(s), left[0])
	}
	if decided != want.Rule {
		t.Fatalf("%s\nthe trace says that %q decided, and it was %q", shown(s), decided, want.Rule)
	}
}

// evaluated holds each part to a plain reading of its text.
func evaluated(t testkit.Failer, p *Part, plain reading) {
	t.Helper()
	n, err := condition.Parse(p.Text)
	if err != nil {
		t.Fatalf("%s: %v", p.Text, err)
	}
	if held, err := plain.holds(n); held != p.Held || err != nil || p.Err != "" {
		t.Fatalf("%q held: %t (%s), and the plain reading says %t (%v)", p.Text, p.Held, p.Err, held, err)
	}
	for i := range p.Parts {
		evaluated(t, &p.Parts[i], plain)
	}
}

// parted holds a part to its own parts.
func parted(t testkit.Failer, p Part) {
	t.Helper()
	if p.Err != "" && p.Held {
		t.Fatalf("%q failed and held: %s", p.Text, p.Err)
	}
	all, some := true, false
	for _, sub := range p.Parts {
		if sub.Err != "" {
			return
		}
		all, some = all && sub.Held, some || sub.Held
		parted(t, sub)
	}
	switch one := len(p.Parts) == 1; {
	case len(p.Parts) == 0:
	case one && p.Held == all:
		t.Fatalf("%q and its opposite %q both held: %t", p.Text, p.Parts[0].Text, all)
	case !one && p.Held != all && p.Held != some:
		t.Fatalf("%q held: %t, and of its parts: all %t, some %t", p.Text, p.Held, all, some)
	}
}

// What a person reads: which half of a condition held.
func TestExplainParts(t *testing.T) {
	e := opened(t, alone(t, map[string]string{"baseline.toml": rule("parts",
		`effect == "unknown" && (attempt > 3 || class == "maintenance") && !(phase == "query" && queries < 2) && operation == "pay"`,
		"escalate") + rule("not-refunds", `operation == "refund"`, "escalate") +
		rule("next", `in_doubt`, "query_status") + rule("last", `true`, "mark_failed")}))
	s := judged(e, paying("momo", ""), policy.Answer{Phase: policy.Query, Code: "unseen"})
	s.Attempt, s.InDoubt = 5, true

	trace := e.Explain(s)
	var b strings.Builder
	for _, r := range trace.Rules {
		fmt.Fprintf(&b, "%s: candidate %t, held %t, decided %t\n", r.ID, r.Candidate, r.Held, r.Decided)
		draw(&b, r.Condition, "  ")
	}
	const want = `parts: candidate true, held false, decided false
  no  effect == "unknown" && (attempt > 3 || class == "maintenance") && !(phase == "query" && queries < 2) && operation == "pay"
    yes effect == "unknown"
    yes attempt > 3 || class == "maintenance"
      yes attempt > 3
      no  class == "maintenance"
    no  !(phase == "query" && queries < 2)
      yes phase == "query" && queries < 2
        yes phase == "query"
        yes queries < 2
    yes operation == "pay"
not-refunds: candidate false, held false, decided false
  no  operation == "refund"
next: candidate true, held true, decided true
  yes in_doubt
last: candidate true, held true, decided false
  yes true
`
	if b.String() != want {
		t.Errorf("the trace reads\n%s\nwant\n%s", b.String(), want)
	}
	if trace.Decision.Rule != "next" {
		t.Errorf("the trace says that next decided, and it was %s", oneLine(trace.Decision))
	}
}

func draw(b *strings.Builder, p Part, indent string) {
	held, failed := "no ", ""
	if p.Held {
		held = "yes"
	}
	if p.Err != "" {
		failed = " (failed)"
	}
	fmt.Fprintf(b, "%s%s %s%s\n", indent, held, p.Text, failed)
	for _, sub := range p.Parts {
		draw(b, sub, indent+"  ")
	}
}

// A rule for another provider or merchant is what a reader looks for first who asks why it did not
// decide.
func TestExplainNamesTheRulesOfOthers(t *testing.T) {
	e := opened(t, alone(t, map[string]string{"baseline.toml": rule("opis", `provider == "opi" && in_doubt`, "escalate") +
		rule("acmes", `merchant == "acme" && in_doubt`, "escalate") + rule("all", "true", "mark_failed")}))
	trace := e.Explain(judged(e, paying("momo", "beta"), policy.Answer{Code: "40"}))
	var ids []string
	for _, r := range trace.Rules {
		ids = append(ids, r.ID)
		if r.ID == "opis" && (r.Candidate || r.Held) {
			t.Errorf("a rule for OPI is a candidate at MoMo: %+v", r)
		}
	}
	if got := strings.Join(ids, " "); got != "opis acmes all" {
		t.Errorf("explained are the rules %q, want every rule of the layers: opis acmes all", got)
	}
}
