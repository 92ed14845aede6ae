package ruletest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Outcome says whether the tests notice a mutant.
type Outcome string

// The outcomes.
const (
	Killed     Outcome = "killed"     // a test fails with it
	Equivalent Outcome = "equivalent" // proved to decide as the rules do
	Refused    Outcome = "refused"    // it does not compile
	Survived   Outcome = "survived"   // no test notices it
)

// Mutant is a small change of the rules, and whether a test notices it.
type Mutant struct {
	Rule    string  `json:"rule"`
	File    string  `json:"file"`
	Line    int     `json:"line"`
	Column  int     `json:"column"`
	Change  string  `json:"change"`
	Outcome Outcome `json:"outcome"`
	By      string  `json:"by,omitempty"`   // the test that noticed it
	Test    string  `json:"test,omitempty"` // of a survivor: a test that would notice it, as TOML; empty: no single answer does
}

// Mutations counts the mutants by outcome.
type Mutations struct {
	Killed     int      `json:"killed"`
	Equivalent int      `json:"equivalent"`
	Refused    int      `json:"refused"`
	Survived   int      `json:"survived"`
	Unfinished int      `json:"unfinished,omitempty"` // when it was stopped before the end
	Score      float64  `json:"score"`                // percent of what is neither equivalent nor refused
	Mutants    []Mutant `json:"mutants"`
}

// MutateOptions of [Mutate]. The zero value works.
type MutateOptions struct {
	// Equivalent reports whether two rule sets decide alike in every situation; exact says
	// that the answer is certain. nil: no mutant counts as equivalent.
	Equivalent func(a, b *ruleset.Engine) (same, exact bool)
	Progress   func(done, all int)    // may be nil; called from one goroutine at a time
	Workers    int                    // 0: as many as there are processors
	Files      func(name string) bool // the rules files to change; nil: all
}

// Mutate changes the rules in small ways, one at a time. For each change it runs the tests that
// use the changed file, until one fails. The tests must pass with the unchanged rules. When ctx
// is cancelled, Mutate returns what is known by then, and ctx's error.
func Mutate(ctx context.Context, e *ruleset.Engine, suites []*Suite, o MutateOptions) (*Mutations, error) {
	var all []*mutant
	for _, f := range e.Rules.Files() {
		if o.Files == nil || o.Files(f.Name) {
			all = append(all, mutants(f)...)
		}
	}
	t := &trial{e: e, o: &o, cases: casesByRule(e, suites), search: newSearch(e)}
	done := make([]Mutant, len(all))
	t.run(ctx, all, done)
	m := &Mutations{Mutants: []Mutant{}}
	for _, d := range done {
		if d.Outcome == "" {
			m.Unfinished++
			continue
		}
		m.count(d)
	}
	if counted := m.Killed + m.Survived; counted > 0 {
		m.Score = 100 * float64(m.Killed) / float64(counted)
	}
	return m, ctx.Err()
}

func (m *Mutations) count(d Mutant) {
	switch d.Outcome {
	case Killed:
		m.Killed++
	case Equivalent:
		m.Equivalent++
	case Refused:
		m.Refused++
	case Survived:
		m.Survived++
	}
	m.Mutants = append(m.Mutants, d)
}

// trial runs the tests against mutants.
type trial struct {
	e      *ruleset.Engine
	o      *MutateOptions
	cases  []ruled
	search *search
	mutex  sync.Mutex
	done   int
}

// ruled is a test, the files that decide it, and the ids of the rules that decided.
type ruled struct {
	c      *Case
	layers rules.Layers
	ids    []string
}

func casesByRule(e *ruleset.Engine, suites []*Suite) []ruled {
	var all []ruled
	for _, s := range suites {
		for _, c := range s.Cases {
			p := c.Payment()
			x := ruled{c: c, layers: e.Rules.Layers(p.Provider, p.Merchant)}
			c.situations(e, func(_ *policy.Situation, rule string) { x.ids = append(x.ids, rule) })
			all = append(all, x)
		}
	}
	return all
}

func (t *trial) run(ctx context.Context, all []*mutant, done []Mutant) {
	workers := t.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	next := make(chan int)
	var busy sync.WaitGroup
	for range workers {
		busy.Go(func() {
			for i := range next {
				done[i] = t.try(all[i])
				t.mutex.Lock()
				if t.done++; t.o.Progress != nil {
					t.o.Progress(t.done, len(all))
				}
				t.mutex.Unlock()
			}
		})
	}
	for i := range all {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	busy.Wait()
}

// try returns the outcome of one mutant.
func (t *trial) try(m *mutant) Mutant {
	out := Mutant{Rule: m.rule.ID, File: m.pos.File, Line: m.pos.Line, Column: m.pos.Column, Change: m.change, Outcome: Survived}
	changed, err := t.e.With(m.set(t.e.Rules))
	if err != nil {
		out.Outcome = Refused
		return out
	}
	if by := t.killer(m, changed); by != nil {
		out.Outcome, out.By = Killed, by.where()
		return out
	}
	if t.o.Equivalent != nil {
		if same, exact := t.o.Equivalent(t.e, changed); same && exact {
			out.Outcome = Equivalent
			return out
		}
	}
	out.Test = t.search.difference(m, changed)
	return out
}

func (c *Case) where() string { return source.Pos{File: c.File, Line: c.Line}.String() + " " + c.Name }

// killer returns a test that fails with a mutant; nil when none does. Tests that the mutant's
// rule decides come first, because they are the most likely ones.
func (t *trial) killer(m *mutant, changed *ruleset.Engine) *Case {
	for _, near := range []bool{true, false} {
		for i := range t.cases {
			x := &t.cases[i]
			if !slices.Contains(x.layers, m.file) || slices.Contains(x.ids, m.rule.ID) != near {
				continue
			}
			if r := x.c.Run(changed); !r.Passed() {
				return x.c
			}
		}
	}
	return nil
}

// String returns FILE:LINE:COLUMN: rule ID: what was changed.
func (m *Mutant) String() string {
	return fmt.Sprintf("%s: rule %s: %s", source.Pos{File: m.File, Line: m.Line, Column: m.Column}, m.Rule, m.Change)
}
