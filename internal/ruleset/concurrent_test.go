package ruleset

import (
	"reflect"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// One engine serves many goroutines, and each gets what it would get alone. With -race.
func TestManyAtOnce(t *testing.T) {
	e := open(t, "")
	draw := rapid.Custom(drawnFrom(e).situation)
	type told struct {
		s        *policy.Situation
		decision policy.Decision
		trace    Trace
		terms    policy.Terms
	}
	all := make([]told, 60)
	for i := range all {
		s := draw.Example(i)
		all[i] = told{s, e.Decide(s), e.Explain(s), *e.Terms(s.Payment)}
	}
	const goroutines, rounds = 8, 40
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range rounds * len(all) {
				alone := all[(n*7+g*13)%len(all)]
				if got := e.Decide(alone.s); got != alone.decision {
					t.Errorf("among others %+v, alone %+v", got, alone.decision)
				}
				if n%101 == g {
					if got := e.Explain(alone.s); !reflect.DeepEqual(got, alone.trace) {
						t.Errorf("among others %+v, alone %+v", got, alone.trace)
					}
				}
				if got := *e.Terms(alone.s.Payment); !reflect.DeepEqual(got, alone.terms) {
					t.Errorf("among others %+v, alone %+v", got, alone.terms)
				}
				if got := e.Judge(alone.s.Payment, alone.s.Answer); got != e.Judge(alone.s.Payment, alone.s.Answer) {
					t.Errorf("judged now %+v, and now otherwise", got)
				}
			}
		})
	}
	wg.Wait()
}
