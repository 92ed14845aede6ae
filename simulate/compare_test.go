package simulate

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

const impatient = `
[[rule]]
id = "person"
when = 'in_doubt && attempt == 1'
then = "escalate"
reason = "a person knows"
`

// Each flow that ends otherwise is in one direction, with both stories; the columns are those of each rule set
// by itself.
func TestAgainst(t *testing.T) {
	lines := []string{
		jsonLine(t, "paid", 0, "send", code(0)),
		jsonLine(t, "waits", 0, "send", fields{"fault": "timeout", "latency_ms": 1000}),
		jsonLine(t, "waits", time.Minute, "query", code(0)),
		jsonLine(t, "leaves", 0, "send", fields{"fault": "timeout", "latency_ms": 1000, "amount": 70}),
	}
	strict := withRules(t, map[string]string{"merchants/acme.toml": impatient})
	e := defaults(t)
	for _, tt := range []struct {
		name           string
		o              Options
		same           int
		want, fails, a string
	}{
		{"to more work", Options{Decider: strict, Against: e, FailOn: []string{"more_work", "lost"}}, 1, "1 more_work 1000 VND; 1 newly_known 70 VND", "more_work", "escalate"},
		{"to less work", Options{Decider: e, Against: strict, FailOn: []string{"lost"}}, 1, "1 less_work 1000 VND; 1 newly_unknown 70 VND", "", "mark_succeeded"},
		{"to the same", Options{Decider: e, Against: e, FailOn: directionNames()}, 3, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Catalogs = e.Catalogs
			r := simulate(t, tt.o, text("r", lines...))
			if got := changesText(r.Against); got != tt.want || r.Against.Same != tt.same {
				t.Errorf("%s, %d the same; want %s, %d", got, r.Against.Same, tt.want, tt.same)
			}
			if got := strings.Join(r.Failed(), " "); got != tt.fails {
				t.Errorf("fails on %q, want %q", got, tt.fails)
			}
			alone := simulate(t, Options{Decider: tt.o.Against, Catalogs: e.Catalogs}, text("r", lines...))
			if g, w := asJSON(t, r.Against.Simulated), asJSON(t, alone.Simulated); g != w {
				t.Errorf("the other column: %s", firstDifference(g, w))
			}
			this := simulate(t, Options{Decider: tt.o.Decider, Catalogs: e.Catalogs}, text("r", lines...))
			if r.Against = nil; asJSON(t, r) != asJSON(t, this) {
				t.Errorf("a comparison changes the report: %s", firstDifference(asJSON(t, r), asJSON(t, this)))
			}
			if tt.a == "" {
				return
			}
			x := simulate(t, tt.o, text("r", lines...)).Against.Changes[0].Examples[0]
			if x.Flow != "waits" || len(x.Recorded) == 0 || len(x.Before) == 0 || !strings.Contains(storyOf(x.After), tt.a) || strings.Contains(storyOf(x.Before), tt.a) {
				t.Errorf("example %s:\n%s\nwas\n%s", x.Flow, storyOf(x.After), storyOf(x.Before))
			}
		})
	}
}

func changesText(c *comparison) string {
	parts := []string{}
	for i := range c.Changes {
		ch := &c.Changes[i]
		parts = append(parts, strings.TrimSpace(strings.Join([]string{count(ch.Flows), ch.Direction, amounts(ch.Money)}, " ")))
	}
	return strings.Join(parts, "; ")
}

func count(n int) string { return string(rune('0' + n)) }

func amounts(all []amount) string {
	parts := []string{}
	for _, a := range all {
		parts = append(parts, strconv.FormatInt(a.Amount, 10)+" "+a.Currency)
	}
	return strings.Join(parts, ", ")
}

func storyOf(lines []StoryLine) string {
	parts := make([]string, len(lines))
	for i := range lines {
		parts[i] = lines[i].What
	}
	return strings.Join(parts, "\n")
}

// What money does decides the direction: a new harm outranks every other change.
func TestDirections(t *testing.T) {
	e := defaults(t)
	rec := &record{hasTruth: true, sends: []call{{}}}
	end := func(o policy.Outcome, k knowledge, executions int, at moment) *result {
		return &result{r: rec, knowledge: k, end: ending{outcome: o, endAt: at}, simulated: conclusion{outcome: o, executions: executions}}
	}
	paid, failed := end(policy.Succeeded, simulated, 1, 5), end(policy.Failed, simulated, 0, 5)
	asked, later := end(policy.Escalated, simulated, 1, 5), end(policy.Succeeded, simulated, 1, 9)
	open, off, taken := end(policy.Open, simulated, 0, 0), end(policy.Open, unknown, 0, 0), end(policy.Open, refused, 0, 0)
	lie, twice := end(policy.Failed, simulated, 1, 5), end(policy.Succeeded, simulated, 2, 5)
	for _, tt := range []struct {
		before, after *result
		want          direction
	}{
		{paid, lie, newlyRisky}, {lie, paid, newlySafe}, {paid, twice, newlyRisky}, {off, twice, newlyRisky}, {twice, off, unknownNow},
		{paid, failed, lost}, {failed, paid, recovered}, {paid, taken, lost}, {paid, asked, moreWork}, {asked, failed, lessWork},
		{paid, off, unknownNow}, {off, failed, knownNow}, {paid, later, slower}, {later, paid, faster}, {paid, open, slower}, {open, paid, faster},
	} {
		got, differ := directionOf(tt.before, tt.after, tt.before.harmed(tt.before.simulated.executions), tt.after.harmed(tt.after.simulated.executions))
		if !differ || got != tt.want {
			t.Errorf("from %+v to %+v: %s, want %s", tt.before.simulated, tt.after.simulated, got, tt.want)
		}
		if _, differ := directionOf(tt.after, tt.after, false, false); differ && tt.after.knowledge != unknown {
			t.Errorf("%+v differs from itself", tt.after.simulated)
		}
	}
	_, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs, Against: e, FailOn: []string{"risky"}}, nil)
	if err == nil || !strings.Contains(err.Error(), `"risky"`) || !strings.Contains(err.Error(), "newly_risky") {
		t.Errorf("%v", err)
	}
	if _, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs, FailOn: []string{"lost"}}, nil); err == nil {
		t.Error("FailOn without Against")
	}
}

// The comparison does not depend on the number of goroutines.
func TestTheComparisonIsDeterministic(t *testing.T) {
	e := defaults(t)
	o := Options{Decider: withRules(t, map[string]string{"merchants/lotus-mart.toml": impatient, "merchants/teahouse.toml": impatient}), Catalogs: e.Catalogs, Against: e}
	want := simulate(t, o, shipped(t)[:1]...)
	if len(want.Against.Changes) < 3 {
		t.Errorf("%s", changesText(want.Against))
	}
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, n := range []int{1, 8} {
		runtime.GOMAXPROCS(n)
		sameReport(t, want, o, shipped(t)[:1]...)
	}
}

// A changed decision counts the flows that meet it with the other rules, each once, with their money.
func TestDecisionsThatChange(t *testing.T) {
	lines := []string{
		jsonLine(t, "paid", 0, "send", code(0)),
		jsonLine(t, "waits", 0, "send", fields{"fault": "timeout", "latency_ms": 1000}),
		jsonLine(t, "waits", time.Minute, "query", code(7000)),
		jsonLine(t, "waits", 2*time.Minute, "query", code(7000)),
		jsonLine(t, "waits", 3*time.Minute, "query", code(0)),
		jsonLine(t, "leaves", 0, "send", fields{"fault": "timeout", "latency_ms": 1000, "amount": 70}),
	}
	strict := withRules(t, map[string]string{"merchants/acme.toml": impatient})
	r := simulate(t, Options{Decider: strict, Catalogs: strict.Catalogs, Against: defaults(t)}, text("r.jsonl", lines...))
	got := map[string]string{}
	for _, d := range r.Against.Decisions {
		got[d.Name+" "+d.Before.Action.String()+" "+d.After.Action.String()] = strconv.FormatInt(d.Flows, 10) + " " + strconv.FormatInt(d.Money[0].Amount, 10) + " " + d.Money[0].Currency + " " + d.Example
	}
	want := map[string]string{
		"momo/in-doubt->person query_status escalate":       "2 1070 VND leaves",
		"momo/momo-in-flight->person query_status escalate": "1 1000 VND waits",
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: %q, want %q", name, got[name], w)
		}
	}
	if same := simulate(t, Options{Against: defaults(t)}, text("r.jsonl", lines...)); len(same.Against.Decisions) > 0 {
		t.Errorf("the same rules decide otherwise: %+v", same.Against.Decisions)
	}
}
