package ruletest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/testkit"
)

const weakRules = `
[[rule]]
id   = "patient"
when = 'operation == "pay" && class in ["maintenance", "rate_limited"] && !in_doubt && (fired < 2 || elapsed < duration("1m"))'
then = "retry_new_request"
schedule = "closed"

[[rule]]
id   = "dear"
when = 'amount >= 500 && currency == "VND" && in_doubt && (weekday == "friday" || hour > 20) && tags["vip"] == "yes"'
then = "escalate"

[[rule]]
id   = "untested"
when = 'code == "1001" && http_status != 503 && message contains "later" && attempt < 3 && queries < 2 && retry_after > duration("5s")'
then = "mark_failed"
`

const weakTests = `
[[decision]]
name   = "closed"
given  = { provider = "momo", operation = "pay", answer = "10" }
expect = { rule = "patient" }
`

// folder writes a rules folder and opens it with its tests.
func folder(t *testing.T, files map[string]string) (*ruleset.Engine, []*ruletest.Suite, string) {
	t.Helper()
	dir := testkit.Dir(t, testkit.WithDoor(files))
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	files2, err := ruletest.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	suites, err := ruletest.Read(e, files2)
	if err != nil {
		t.Fatal(err)
	}
	return e, suites, dir
}

func weak(t *testing.T) (*ruleset.Engine, []*ruletest.Suite, func(string) bool) {
	t.Helper()
	e, suites, dir := folder(t, map[string]string{"merchants/acme.toml": weakRules, "merchants/acme.test.toml": weakTests})
	return e, suites, func(file string) bool { return strings.HasPrefix(file, dir) }
}

// pasted reads tests that were printed for pasting.
func pasted(t *testing.T, e *ruleset.Engine, text string) []*ruletest.Case {
	t.Helper()
	suites, err := ruletest.Read(e, []ruletest.File{{Name: "pasted.test.toml", Data: []byte(text)}})
	if err != nil || len(suites[0].Cases) == 0 {
		t.Fatalf("%v\n%s", err, text)
	}
	return suites[0].Cases
}

func TestCoverageNamesGapsWithTestsThatPass(t *testing.T) {
	e, suites, mine := weak(t)
	c, err := ruletest.Cover(e, suites, mine)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rules.All != 3 || c.Rules.Covered != 1 || c.Parts.All != 34 || c.Parts.Covered >= c.Parts.All {
		t.Errorf("rules %+v, parts %+v", c.Rules, c.Parts)
	}
	var all strings.Builder
	for i := range c.Gaps {
		g := &c.Gaps[i]
		if g.Test == "" || g.Kind != "codes" && (g.Line == 0 || g.Column == 0) {
			t.Errorf("no test, or no place: %+v", g)
			continue
		}
		all.WriteString(g.Test + "\n")
		for _, tc := range pasted(t, e, g.Test) {
			if r := tc.Run(e); !r.Passed() {
				t.Errorf("the test for %q fails: %v\n%s", g, r.Failures, g.Test)
			}
		}
	}
	more, err := ruletest.Read(e, []ruletest.File{{Name: "pasted.test.toml", Data: []byte(all.String())}})
	if err != nil {
		t.Fatalf("the tests cannot be pasted together: %v", err)
	}
	if c, err = ruletest.Cover(e, append(suites, more...), mine); err != nil || len(c.Gaps) > 0 {
		t.Errorf("with all of them pasted there are still gaps: %v, %v", c.Gaps, err)
	}
	if c.Rules.Percent != 100 || c.Parts.Percent != 100 || c.Codes.Percent != 100 {
		t.Errorf("with all of them pasted: %+v", c)
	}
}

func TestSurvivorsComeWithTestsThatKill(t *testing.T) {
	if testkit.Short() {
		return
	}
	e, suites, mine := weak(t)
	m, err := ruletest.Mutate(t.Context(), e, suites, ruletest.MutateOptions{Files: mine})
	if err != nil {
		t.Fatal(err)
	}
	if m.Survived < 40 || m.Killed == 0 || m.Killed+m.Survived != len(m.Mutants) {
		t.Fatalf("%d killed, %d survived of %d", m.Killed, m.Survived, len(m.Mutants))
	}
	var all strings.Builder
	without := 0
	for i := range m.Mutants {
		x := &m.Mutants[i]
		switch {
		case x.Outcome == ruletest.Killed && x.By == "", x.Line == 0 || x.File == "":
			t.Errorf("%+v", x)
		case x.Outcome != ruletest.Survived:
		case x.Test == "":
			without++
			if x.Change != "after dear" { // patient and dear never hold together
				t.Errorf("no test: %s", x)
			}
		default:
			all.WriteString(x.Test + "\n")
		}
	}
	more, err := ruletest.Read(e, []ruletest.File{{Name: "pasted.test.toml", Data: []byte(all.String())}})
	if err != nil {
		t.Fatalf("the tests cannot be pasted together: %v", err)
	}
	m, err = ruletest.Mutate(t.Context(), e, append(suites, more...), ruletest.MutateOptions{Files: mine, Workers: 1})
	if err != nil || m.Survived != without {
		t.Errorf("with all of them pasted %d survive, want %d: %v", m.Survived, without, err)
	}
}

// A mutant counts as equivalent only when that is proved.
func TestEquivalentMutants(t *testing.T) {
	if testkit.Short() {
		return
	}
	e, suites, mine := weak(t)
	for _, exact := range []bool{true, false} {
		m, err := ruletest.Mutate(t.Context(), e, suites, ruletest.MutateOptions{
			Files:      mine,
			Equivalent: func(a, b *ruleset.Engine) (bool, bool) { return a == e && b != e, exact },
		})
		if err != nil {
			t.Fatal(err)
		}
		if exact != (m.Equivalent > 0) || exact != (m.Survived == 0) || exact && m.Score != 100 {
			t.Errorf("exact %t: %d equivalent, %d survived, %.1f %%", exact, m.Equivalent, m.Survived, m.Score)
		}
	}
}

func TestCancelledMutationReturnsPartialResult(t *testing.T) {
	e, suites, mine := weak(t)
	ctx, stop := context.WithCancel(t.Context())
	m, err := ruletest.Mutate(ctx, e, suites, ruletest.MutateOptions{
		Files: mine, Workers: 1,
		Progress: func(done, all int) {
			if done == 3 {
				stop()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || m.Unfinished == 0 || len(m.Mutants) < 3 {
		t.Errorf("%v, %d tried, %d not", err, len(m.Mutants), m.Unfinished)
	}
}
