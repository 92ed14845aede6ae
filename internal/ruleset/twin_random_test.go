package ruleset

import (
	"maps"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// Each of a thousand codes meets its own rule, if its condition holds.
func TestThousandRulesDecideLikeTheTwin(t *testing.T) {
	e := thousand(t, 10)
	tw := newTwin(t, e)
	reached := map[string]bool{}
	for _, row := range catalogue(t, e, "fifth").Codes {
		for attempt := 1; attempt <= 8; attempt += 3 {
			s := judged(e, paying("fifth", ""), policy.Answer{Code: row.Code})
			s.Attempt = attempt
			got, want := e.Decide(s), tw.decide(s)
			if got.Rule != want.Rule {
				t.Fatalf("code %s, attempt %d: %s, and the twin %s", row.Code, attempt, oneLine(got), oneLine(want))
			}
			reached[got.Rule] = true
		}
	}
	if len(reached) < 500 {
		t.Errorf("%d rules decide, which is too few to tell", len(reached))
	}
}

func TestRandomRulesDecideLikeTheTwin(t *testing.T) {
	under := t.TempDir()
	defaults := alone(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		g := grammar{t: t}
		files := g.folder(maps.Clone(defaults))
		dir, err := os.MkdirTemp(under, "rules")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer os.RemoveAll(dir)
		testkit.Write(t, dir, files)
		e := open(t, dir)
		tw := newTwin(t, e)
		from := drawnFrom(e)
		for range 15 {
			agree(t, e, tw, from.situation(t))
		}
	})
}
