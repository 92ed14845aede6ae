package ruleset

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
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

// What is worked out when it is first asked for may be asked for by several goroutines at once: each engine is new here.
func TestFirstQuestionsAtOnce(t *testing.T) {
	files := map[string]string{}
	for m := range 8 {
		name := fmt.Sprintf("m%d", m)
		files["merchants/"+name+".toml"] = fmt.Sprintf("[contract]\ndedupe_window = \"%dh\"\n[contract.pay]\ntimeout = \"%ds\"\n\n[[rule]]\nid = \"own\"\nwhen = 'class == \"unrecognized\"'\nthen = \"escalate\"\n", m+1, m+5)
	}
	dir := testkit.Dir(t, files)
	for range testkit.Size(3, 5, 50) {
		e := open(t, dir)
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				<-begin
				for n := range 80 {
					m := (n + g) % 8
					p := &policy.Payment{Provider: []string{"momo", "opi", "stripe"}[n%3], Merchant: fmt.Sprintf("m%d", m), Operation: policy.Pay}
					if n%3 == 1 {
						p.Operation = policy.Payout
					}
					d, err := e.For(p)
					if err != nil {
						t.Error(err)
						continue
					}
					c := d.Terms(p).Contract
					if c.DedupeWindow != time.Duration(m+1)*time.Hour || p.Operation == policy.Pay && c.Timeout != time.Duration(m+5)*time.Second {
						t.Errorf("merchant %s has the contract %+v", p.Merchant, c)
					}
					s := &policy.Situation{Payment: p, Answer: &policy.Answer{Code: "77"}}
					e.Decide(s)
					if g == 0 {
						e.Explain(s)
					}
				}
			})
		}
		close(begin)
		wg.Wait()
	}
}
