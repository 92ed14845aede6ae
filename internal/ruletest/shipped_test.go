package ruletest_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/testkit"
)

var openEmbedded = sync.OnceValues(func() (*ruleset.Engine, error) { return ruleset.Open("") })

// embedded returns the engine with the embedded rules and nothing more.
func embedded(t testing.TB) *ruleset.Engine {
	t.Helper()
	e, err := openEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// shipped returns the tests of the embedded rules.
func shipped(t testing.TB) []*ruletest.Suite {
	t.Helper()
	files, err := ruletest.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	suites, err := ruletest.Read(embedded(t), files)
	if err != nil {
		t.Fatal(err)
	}
	return suites
}

// The tests of the shipped rules pass and cover all of them.
func TestShippedRules(t *testing.T) {
	suites := shipped(t)
	if len(suites) != 11 {
		t.Errorf("%d files; the baseline, six providers and four merchants have one each", len(suites))
	}
	for _, s := range suites {
		for _, c := range s.Cases {
			if r := c.Run(embedded(t)); !r.Passed() {
				var why strings.Builder
				r.Explain(&why, embedded(t))
				t.Errorf("%s\n%s", c.Name, why.String())
			}
		}
	}
	c, err := ruletest.Cover(embedded(t), suites, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rules.Percent != 100 || c.Parts.Percent != 100 || c.Codes.Percent != 100 {
		t.Errorf("rules %.1f %%, parts %.1f %%, codes %.1f %%\n%v", c.Rules.Percent, c.Parts.Percent, c.Codes.Percent, c.Gaps)
	}
}

// unnoticeable are the mutants of the shipped rules that decide every answer alike: two rules
// that never hold together are exchanged, or a part is left out that the others imply.
var unnoticeable = []string{
	// A refusal of this class proves that nothing executed, in every catalogue.
	`evergreen-box.toml payday left out: effect == "not_executed"`,
	`evergreen-box.toml card-gone left out: effect == "not_executed"`,
	`midnight-drop.toml no-time left out: effect == "not_executed"`,
	// A pending payment is in doubt.
	`baseline.toml in-doubt effect in ["unknown", "pending"] -> effect in ["unknown"]`,
	// Earlier rules decide everything else.
	`baseline.toml failed left out: effect == "not_executed"`,
	// They never hold together.
	`evergreen-box.toml payday after card-gone`,
	`momo.toml momo-lost after momo-in-flight`,
	`baseline.toml disputed after mismatch`,
	`baseline.toml closed after set-up`,
}

// A test notices every other small change of the shipped rules.
func TestShippedRulesAreHeldInPlace(t *testing.T) {
	if testkit.Short() {
		return
	}
	m, err := ruletest.Mutate(t.Context(), embedded(t), shipped(t), ruletest.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Killed < 250 || m.Refused > 0 {
		t.Errorf("%d killed, %d refused", m.Killed, m.Refused)
	}
	for i := range m.Mutants {
		x := &m.Mutants[i]
		name := x.File[strings.LastIndex(x.File, "/")+1:] + " " + x.Rule + " " + x.Change
		if known := slices.Contains(unnoticeable, name); known == (x.Outcome == ruletest.Killed) || known && x.Test != "" {
			t.Errorf("%s is %s by %s\n%s", name, x.Outcome, x.By, x.Test)
		}
	}
}
