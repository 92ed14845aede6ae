package adversary

import (
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

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
				f, _, err := play(e, p, 1, testkit.Size(500, 2_000, 50_000), newCoverage())
				if err != nil {
					t.Fatal(err)
				}
				if f != nil {
					t.Errorf("%s %s, merchant %q\n%s", name, op, m, shorten(e, p, 2, f, 200_000).story(e))
				}
			}
		}
	}
}

// What is unsafe can be shown: the walker finds what is wrong with every kind. The safe twins
// hold, so it does not see harm where there is none.
func TestWalkerCorrectsEveryKind(t *testing.T) {
	for i, s := range samples(t) {
		if testkit.Short() && s.name == "a3-executed-1000" {
			continue // it needs the most steps
		}
		e, err := s.open(t)
		if err != nil {
			if !s.refused {
				t.Errorf("%s: %v", s.name, err)
			}
			continue
		}
		p := product{s.provider, s.op, s.merchant}
		f, n, err := play(e, p, uint64(i), testkit.Size(2_000, 10_000, 500_000), newCoverage())
		for more := uint64(1); s.refused && f == nil && err == nil && more <= 12; more++ { // a walk that has gone astray is begun anew
			var further int
			f, further, err = play(e, p, uint64(i)+1000*more, 250_000, newCoverage())
			n += further
		}
		switch {
		case err != nil:
			t.Errorf("%s: %v", s.name, err)
		case f == nil && s.refused:
			t.Errorf("%s: %d steps found nothing", s.name, n)
		case f != nil && !s.refused:
			t.Errorf("%s is safe, and yet:\n%s", s.name, shorten(e, p, 1, f, 200_000).story(e))
		case f != nil:
			t.Logf("%s: %s after %d steps", s.name, f.property, n)
		}
	}
}
