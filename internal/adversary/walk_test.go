package adversary

import (
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunSearches(m) }

// The rules and merchants that are shipped hold in every walk.
func TestShippedRulesHold(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range e.Catalogs.Names() {
		c, err := e.Catalogs.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range c.Operations {
			for _, m := range append([]string{""}, e.Rules.MerchantNames()...) {
				p := product{name, op, m}
				if !e.Rules.Uses(m, name) {
					continue
				}
				t.Run(fmt.Sprintf("%s %s %q", name, op, m), func(t *testing.T) {
					t.Parallel()
					f, _, err := play(e, p, 1, testkit.Size(500, 2_000, 50_000), newCoverage())
					if err != nil {
						t.Fatal(err)
					}
					if f != nil {
						t.Error(shorten(e, p, 2, f, 200_000).story(e))
					}
				})
			}
		}
	}
}

// longWalks are the kinds whose harm is found after more than a hundred thousand steps; the others need a few thousand.
var longWalks = map[string]bool{"a3-executed-1000": true, "a3-executed-timeout": true, "s6-disputed-late": true}

// What is unsafe can be shown: the walker finds what is wrong with every kind. The safe twins
// hold, so it does not see harm where there is none.
func TestWalkerCorrectsEveryKind(t *testing.T) {
	for i, s := range samples(t) {
		if testkit.Short() && longWalks[s.name] {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.walk(t, i)
		})
	}
}

// walk plays a sample, and wants harm where it is to be refused, and none where it is safe.
func (s *sample) walk(t *testing.T, number int) {
	t.Helper()
	e, err := s.open(t)
	if err != nil {
		if !s.refused {
			t.Error(err)
		}
		return
	}
	p := product{s.provider, s.op, s.merchant}
	f, n, err := play(e, p, uint64(number), testkit.Size(2_000, 10_000, 500_000), newCoverage())
	for more := uint64(1); s.refused && f == nil && err == nil && more <= 12; more++ { // a walk that has gone astray is begun anew
		var further int
		f, further, err = play(e, p, uint64(number)+1000*more, 250_000, newCoverage())
		n += further
	}
	switch {
	case err != nil:
		t.Error(err)
	case f == nil && s.refused:
		t.Errorf("%d steps found nothing", n)
	case f != nil && !s.refused:
		t.Errorf("it is safe, and yet:\n%s", shorten(e, p, 1, f, 200_000).story(e))
	case f != nil:
		t.Logf("%s after %d steps", f.property, n)
	}
}
