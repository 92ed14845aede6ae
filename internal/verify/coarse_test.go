//go:build !race

package verify

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// The proof rests on the coarse search alone, and on the one that counts. So each must find whatever the exact
// one finds.
func TestCoarseFindsWhatExactFinds(t *testing.T) {
	sets, first := testkit.Size(4, 10, 60), uint64(1)
	if n, err := strconv.Atoi(os.Getenv("RECOURSE_SETS")); err == nil {
		sets = n
	}
	if n, err := strconv.ParseUint(os.Getenv("RECOURSE_SEED"), 10, 64); err == nil {
		first = n
	}
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	broken, findings, looked := 0, 0, 0
	for seed := first; seed < first+uint64(sets); seed++ {
		text := someRules(draw.From(seed))
		dir := testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text})
		e, err := ruleset.Open(dir)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		exact, _ := findingsOf(t, e, exactly, 2_500, nil)
		looked++
		if len(exact) == 0 {
			continue
		}
		for _, how := range []how{coarsely, counting} {
			got, whole := findingsOf(t, e, how, 60_000, exact)
			if !whole {
				continue
			}
			for key, why := range exact {
				findings++
				if _, found := got[key]; !found {
					t.Errorf("seed %d: %s, %s: found exactly, and not %s\n%s", seed, key, why, how, text)
				}
			}
		}
		if len(exact) > 0 {
			broken++
		}
	}
	t.Logf("%d rule sets, %d of them with findings, %d findings", looked, broken, findings)
	if broken == 0 {
		t.Error("no rule set breaks anything: nothing was compared")
	}
}

// how a search follows what happens.
type how string

const (
	exactly  how = "exactly"
	coarsely how = "coarsely"
	counting how = "by counting"
)

// countingTwin is the model of a payment's rules that counts what they look at.
func countingTwin(t *testing.T, e *ruleset.Engine, p policy.Payment) *model {
	t.Helper()
	s := space.New(e)
	g, err := newGround(e, s, p, space.Bit(p.Capture), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	tables := []*table{newTable(s, e, g.facts, p, nil, nil)}
	return g.countingModel(tables, cutsOf(s, tables))
}

// findingsOf is what a search finds, and whether it came to its end, or to all that is wanted.
func findingsOf(t *testing.T, e *ruleset.Engine, by how, most int, wanted map[string]string) (found map[string]string, whole bool) {
	t.Helper()
	m, err := newModel(e, mill("some"), by != exactly, false)
	if err != nil {
		t.Fatal(err)
	}
	if by == counting {
		m = countingTwin(t, e, mill("some"))
	}
	s := newSearch(m)
	s.maxStates = most
	found = map[string]string{}
	s.stop = func(f *finding) bool {
		found[string(f.property)+" "+f.rule] = f.why
		for key := range wanted {
			if _, has := found[key]; !has {
				return false
			}
		}
		return wanted != nil
	}
	err = s.run(context.Background())
	if err != nil && !errors.As(err, &errTooMany{}) {
		t.Fatal(err)
	}
	return found, err == nil
}
