package check

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/rules"
)

// Options say what to look at. The zero value looks at everything.
type Options struct {
	Progress func(done, books int) // told now and then, from several goroutines
}

// checker is one run.
type checker struct {
	e         *ruleset.Engine
	s         *space.Space
	report    *Report
	providers []string
	merchants []string // with a file that is looked at, and "" first
	own       bool     // some file is the user's: embedded ones are not theirs to mend
	reach     map[string][]space.Reached
	index     map[string]*space.Index
	rules     []*aRule
	of        map[*rules.Rule]*aRule
	base      map[string]*verdicts // of merchants without a file, by provider
}

// aRule is a rule and what became of it in every book.
type aRule struct {
	*rules.Rule
	file *rules.File
	cond *space.Condition
	mu   sync.Mutex
	seen []fate
}

// Run looks at every rule of every merchant at every provider. When ctx is cancelled it
// returns what is known by then, and ctx's error.
func Run(ctx context.Context, e *ruleset.Engine, o Options) (*Report, error) {
	c := &checker{
		e: e, s: space.New(e), report: &Report{Version: Version, Complete: true, Findings: []Finding{}}, providers: e.Catalogs.Names(),
		merchants: []string{""}, of: map[*rules.Rule]*aRule{}, base: map[string]*verdicts{},
	}
	c.collect()
	c.warnings()
	c.reach, c.index = reachAll(e, c.providers, c.merchants), map[string]*space.Index{}
	for p, all := range c.reach {
		c.index[p] = space.NewIndex(all)
	}
	steps := []func(context.Context) error{
		c.conditions,
		func(ctx context.Context) error { return c.books(ctx, o.Progress) },
		c.deadRules, c.parts, c.overlaps, c.uncovered, c.schedules, c.duplicates, c.spellings,
	}
	var err error
	for _, step := range steps {
		if err = step(ctx); err != nil {
			c.report.Complete = false
			break
		}
	}
	c.report.finish()
	return c.report, err
}

// collect lists what there is to look at.
func (c *checker) collect() {
	files := space.Files(c.e.Rules)
	c.own = slices.ContainsFunc(files, func(f *rules.File) bool { return !f.Builtin() })
	for _, f := range files {
		if c.own && f.Builtin() && f.Merchant != "" {
			continue // an example that ships with the program
		}
		if f.Merchant != "" {
			c.merchants = append(c.merchants, f.Merchant)
			c.report.Merchants++
		}
		for _, r := range f.Rules {
			a := &aRule{Rule: r, file: f, cond: c.s.Of(c.e, r)}
			c.rules = append(c.rules, a)
			c.of[r] = a
		}
	}
	c.report.Rules, c.report.Providers = len(c.rules), len(c.providers)
	c.report.Books = len(c.providers) * len(c.merchants)
}

// warnings are what the engine says already.
func (c *checker) warnings() {
	for _, w := range c.e.Warnings {
		c.report.add(Finding{Kind: AmountCurrency, Severity: Warning, Place: Place{File: w.File, Line: w.Line, Column: w.Column}, Message: w.Msg})
	}
}

// reachAll finds what can be decided about at each provider.
func reachAll(e *ruleset.Engine, providers, merchants []string) map[string][]space.Reached {
	all := make([][]space.Reached, len(providers))
	each(len(providers), func(i int) {
		if cat, err := e.Catalogs.Get(providers[i]); err == nil {
			all[i] = space.Reachable(cat, space.AbsentAt(e, providers[i], merchants))
		}
	})
	by := map[string][]space.Reached{}
	for i, p := range providers {
		by[p] = all[i]
	}
	return by
}

// each calls do for every number below n, on every core.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wait.Wait()
}

// home is the books in which a rule is at home: where no layer above its own speaks.
func (c *checker) home(r *aRule) (providers []string, merchant string) {
	if r.file.Provider != "" {
		return []string{r.file.Provider}, ""
	}
	return c.providers, r.file.Merchant
}

// place is where a rule's condition begins, or a rune of it.
func (r *aRule) place(rune int) Place {
	p := r.WhenAt(rune)
	return Place{File: p.File, Line: p.Line, Column: p.Column, Rule: r.ID}
}

func (r *aRule) related() Place {
	return Place{File: r.Pos.File, Line: r.Pos.Line, Rule: r.ID}
}

// grave is how bad a finding of a rule is: what ships with the program is not the user's to
// mend.
func (c *checker) grave(f *rules.File, s Severity) Severity {
	if c.own && f.Builtin() {
		return Note
	}
	return s
}
