//go:build !race

package verify

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// liesIn searches a contract's rules while the provider lies, coarsely or exactly, and says
// what breaks.
func liesIn(t *testing.T, e *ruleset.Engine, rules string, l lies, coarse bool, stop flow.Property) []flow.Property {
	t.Helper()
	m, err := newModel(e, mill(rules), coarse, false)
	if err != nil {
		t.Fatal(err)
	}
	m.lies = l
	s := newSearch(m)
	s.most = 100_000
	var broken []flow.Property
	s.stop = func(f *finding) bool {
		if !slices.Contains(broken, f.property) {
			broken = append(broken, f.property)
		}
		return f.property == stop
	}
	if err := s.run(context.Background()); err != nil && !errors.As(err, &errTooMany{}) {
		t.Fatal(err)
	}
	return broken
}

// What the verdict takes on trust it needs: with each assumption about the provider taken
// away, while the flow goes on to rely on it, a property breaks, under rules that hold.
func TestEachAssumptionIsNeeded(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, rules string
		lies        lies
		want        flow.Property
	}{
		{"what is deduped is executed again", "replay", lies{repeats: true}, flow.S1},
		{"a refused repeat is executed", "rejected", lies{repeats: true}, flow.S1},
		{"it forgets before its window is over", "replay", lies{forgets: true}, flow.S1},
		{"a request arrives after the grace", "grace", lies{tarries: true}, flow.S2},
		{"a request arrives after the grace, and is paid twice", "grace", lies{tarries: true}, flow.S1},
		{"not found, though it arrived long ago", "grace", lies{blind: true}, flow.S2},
		{"a webhook says what is not so", "hook", lies{forges: true}, flow.S2},
		{"a refusal by its code was executed", "plain", lies{errs: true}, flow.S2},
		{"a refusal by its code was executed, and is paid twice", "plain", lies{errs: true}, flow.S1},
	}[:testkit.Size(1, 9, 9)] {
		t.Run(c.name, func(t *testing.T) {
			if got := liesIn(t, e, c.rules, lies{}, true, ""); len(got) > 0 {
				t.Fatalf("%s does not hold while nobody lies: %v", c.rules, got)
			}
			for _, coarse := range []bool{true, false} {
				if got := liesIn(t, e, c.rules, c.lies, coarse, c.want); !slices.Contains(got, c.want) {
					t.Errorf("coarse %v: %s is not found to break, but %v", coarse, c.want, got)
				}
			}
		})
	}
}

// Beyond its contract a provider may take back a refusal before anything else was sent, and
// somebody else may pay under our order: the flow copes.
func TestBeyondTheContract(t *testing.T) {
	if testkit.Short() {
		return
	}
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []lies{{recalls: true}, {strangers: true}} {
		if got := liesIn(t, e, "plain", l, true, ""); len(got) > 0 {
			t.Errorf("%+v: %v", l, got)
		}
	}
}
