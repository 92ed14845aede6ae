//go:build !race

package verify

import (
	"context"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// A flow that forgets what it has spent breaks no limit in any single step: it stays below all of them, and never ends. Only the
// circle in what was reached shows it.
func TestCirclesAreFound(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, rules string
		breach      breaches
		found       bool
	}{
		{"queries that are not counted", "plain", breaches{forgetsQueries: true}, true},
		{"sends that are not counted", "replay", breaches{forgetsSends: true}, true},
		{"everything is counted", "plain", breaches{}, false},
		{"everything is counted, and repeated", "replay", breaches{}, false},
		{"nothing can be asked", "silent", breaches{}, false},
		{"a webhook is awaited", "hook", breaches{}, false},
	} {
		if testkit.Short() && c.rules == "replay" { // as the others, of four times as many states
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			m, err := newModel(e, mill(c.rules), true, false)
			if err != nil {
				t.Fatal(err)
			}
			m.breaches = c.breach
			s := newSearch(m)
			if err := s.run(context.Background()); err != nil {
				t.Fatal(err)
			}
			switch {
			case !c.found && len(s.found) > 0:
				t.Errorf("found %s, %s", s.found[0].property, s.found[0].why)
			case c.found && (len(s.found) != 1 || s.found[0].property != S4):
				t.Errorf("found %v, want the circle alone", s.found)
			}
		})
	}
}
