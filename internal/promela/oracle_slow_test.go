//go:build slow && !race

package promela_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/promela"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// question is a payment whose rules both oracles are asked about. Its worlds are one for each kind of payment.
type question struct {
	engine   *ruleset.Engine
	payment  policy.Payment
	distrust bool
	worlds   []*promela.World
	files    map[string]string
}

// checker is what verify finds broken; with first, what it finds first. counted: it holds only because sends, queries and firings were counted.
func checker(t *testing.T, q *question, first bool) (v verdict, counted bool) {
	t.Helper()
	p := &q.payment
	r, err := verify.Run(context.Background(), q.engine, &verify.Options{
		Providers: []string{p.Provider}, Operations: []policy.Operation{p.Operation}, Merchants: []string{p.Merchant}, DistrustInferred: q.distrust, Workers: 1,
		VerdictOnly: true, FirstOnly: first,
	})
	if err != nil {
		t.Fatal(err)
	}
	v = verdict{}
	for i := range r.Products {
		counted = counted || r.Products[i].Covered.Counted
		if why := r.Products[i].Unfinished; why != "" {
			t.Fatalf("%+v: %s", p, why)
		}
		for _, f := range r.Products[i].Violations {
			found := string(f.Property)
			if found == "S5" {
				found += " " + f.Source
			}
			v[found] = true
		}
	}
	return v, counted && r.Holds
}

// mostTime is how long one world is searched at most.
const mostTime = 40 * time.Second

// comparison holds the verdicts of Spin and of verify against each other.
type comparison struct {
	requests int
	first    bool // verify stops at the first violation, which takes a tenth of the time: Spin must find that one too

	mu                                            sync.Mutex
	whole, broken, agreed, counted, rules, states int
}

// compare asks both about each question.
func compare(t *testing.T, all []question, requests int, first bool) *comparison {
	t.Helper()
	var worlds []*promela.World
	from := make([]int, len(all))
	for i := range all {
		from[i] = len(worlds)
		worlds = append(worlds, all[i].worlds...)
	}
	p := build(t, nil, worlds)
	c := &comparison{requests: requests, first: first}
	next := make(chan int)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for i := range next {
				c.one(t, p, &all[i], from[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wait.Wait()
	t.Logf("%d rule sets x %d agreed x %d disagreements (%d hold by counts alone, which Spin's table leaves out); %d searched to the end, %d broken, in %d the same rules blamed, %d states",
		len(all), c.agreed, len(all)-c.agreed-c.counted, c.counted, c.whole, c.broken, c.rules, c.states)
	return c
}

func (c *comparison) one(t *testing.T, p *program, q *question, from int) {
	t.Helper()
	began := time.Now()
	got, ended, seen := verdict{}, true, 0
	for k := range q.worlds {
		v, n, end := p.search(t, from+k, c.requests, mostTime)
		for f := range v {
			got[f] = true
		}
		ended, seen = ended && end, seen+n
	}
	took := time.Since(began)
	want, counted := checker(t, q, c.first)
	if lateCopies(q) { // the known difference of docs/using-verify.md
		for _, known := range []string{"S1", "S2"} {
			delete(got, known)
			delete(want, known)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Logf("%s: %d states, Spin %v, verify %v, to its end: %v: [%v] and [%v]", q.payment.Merchant, seen,
		took.Round(time.Millisecond), (time.Since(began) - took).Round(time.Millisecond), ended, got, want)
	c.states += seen
	if ended {
		c.whole++
	}
	if len(got) > 0 {
		c.broken++
	}
	if fmt.Sprint(got) == fmt.Sprint(want) {
		c.rules++
	}
	switch {
	case got.agrees(want, ended, c.first):
		c.agreed++
	case counted && len(want) == 0 && got.properties() == "S5":
		c.counted++
	case len(want) == 0 && c.strictly(t, q):
		t.Logf("%s: it holds where late replies go to the flow whose call it was", q.payment.Merchant)
		c.agreed++
	default:
		t.Errorf("%s: Spin finds [%v], verify [%v]\n%s", q.payment.Merchant, got, want, text(q.files))
	}
}

// strictly reports whether a question holds in Spin's stricter model. The other one gives a flow also late replies to the calls of an earlier
// flow of its payment key, since it counts no sends: verify knows which flow a call was of.
func (c *comparison) strictly(t *testing.T, q *question) bool {
	t.Helper()
	p := build(t, []string{"-DSTRICT"}, q.worlds)
	for k := range q.worlds {
		if v, _, ended := p.search(t, k, c.requests, mostTime); len(v) > 0 || !ended {
			return false
		}
	}
	return true
}

// agrees reports whether Spin's verdict is that of verify. What Spin could not search to its end may break less than what verify finds, and
// no more; what verify found first is a part of what Spin finds.
func (v verdict) agrees(want verdict, ended, first bool) bool {
	switch {
	case ended && first:
		return (len(v) == 0) == (len(want) == 0) && strings.Contains(v.properties(), want.properties())
	case first:
		return len(v) == 0 || len(want) > 0
	case ended:
		return v.properties() == want.properties()
	default:
		return strings.Contains(want.properties(), v.properties())
	}
}

// lateCopies reports whether a repeat can arrive after the dedupe window: nothing bounds its arrival.
func lateCopies(q *question) bool {
	c := &q.engine.Terms(&q.payment).Contract
	return len(c.Dedupe) > 0 && c.DedupeWindow > 0 && c.ArrivalGrace == 0
}

func text(files map[string]string) string {
	var b strings.Builder
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "-- %s --\n%s", name, files[name])
	}
	return b.String()
}

// Each trap of verify's own tests.
func TestSpinAgreesOnTraps(t *testing.T) {
	files, err := filepath.Glob("../verify/testdata/traps/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no traps", err)
	}
	var all []question
	for _, file := range files {
		trap, err := testkit.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, inside := trap.Take("stories")
		lines := strings.Split(strings.TrimSpace(string(trap.Comment)), "\n")
		words := strings.Fields(strings.TrimPrefix(lines[len(lines)-1], "verify:"))
		var op policy.Operation
		if err := op.UnmarshalText([]byte(words[1])); err != nil {
			t.Fatal(err)
		}
		e, err := ruleset.Open(testkit.Dir(t, inside))
		if err != nil {
			t.Fatal(err)
		}
		q := question{engine: e, distrust: len(words) > 3, files: inside,
			payment: policy.Payment{Provider: words[0], Merchant: words[2], Operation: op, Amount: 120_000, Currency: "VND"}}
		if q.worlds, err = promela.Worlds(e, q.payment, q.distrust); err != nil {
			t.Fatal(err)
		}
		t.Log(filepath.Base(file))
		all = append(all, q)
	}
	compare(t, all, 2, false)
}
