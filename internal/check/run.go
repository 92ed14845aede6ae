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

// Options of [Run]. The zero value works.
type Options struct {
	Progress  func(done, lists int) // called now and then, from several goroutines; may be nil
	Providers []string              // report only what is about these; empty: all
}

// checker is one run.
type checker struct {
	e         *ruleset.Engine
	s         *space.Space
	report    *Report
	providers []string
	merchants []string // those with a file that is checked; "" comes first
	only      []string // the providers to report about; empty: all
	own       bool     // some file is the user's; then findings in embedded files are only notes
	reach     map[string][]space.Reached
	index     map[string]*space.Index
	books     sync.Map // list → *space.Book
	rules     []*checkedRule
	of        map[*rules.Rule]*checkedRule
	base      map[string]*listOutcomes // by provider, for merchants without a file
}

// checkedRule is a rule and its outcome in every rule list.
type checkedRule struct {
	*rules.Rule
	file *rules.File
	cond *space.Condition
	mu   sync.Mutex
	seen []outcome // guarded by mu
}

// Run checks every rule of every merchant at every provider. When ctx is cancelled it
// returns what is known by then, and ctx's error.
func Run(ctx context.Context, e *ruleset.Engine, o Options) (*Report, error) {
	c := &checker{
		e: e, s: space.New(e), report: &Report{Version: Version, Complete: true, Findings: []Finding{}}, providers: e.Catalogs.Names(),
		only: o.Providers, merchants: []string{""}, of: map[*rules.Rule]*checkedRule{}, base: map[string]*listOutcomes{},
	}
	c.collect()
	c.warnings()
	c.reach, c.index = reachAll(e, c.providers, c.merchants), map[string]*space.Index{}
	for p, all := range c.reach {
		c.index[p] = space.NewIndex(all)
	}
	steps := []func(context.Context) error{
		c.conditions,
		func(ctx context.Context) error { return c.ruleLists(ctx, o.Progress) },
		c.deadRules, c.parts, c.overlaps, c.uncovered, c.schedules, c.duplicates, c.spellings, c.catalogues,
	}
	var err error
	for _, step := range steps {
		if err = step(ctx); err != nil {
			c.report.Complete = false
			break
		}
	}
	c.report.Findings = slices.DeleteFunc(c.report.Findings, func(f Finding) bool { return !c.wanted(&f) })
	c.report.finish()
	return c.report, err
}

// collect lists the rules and merchants to check.
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
			a := &checkedRule{Rule: r, file: f, cond: c.s.Of(c.e, r)}
			c.rules = append(c.rules, a)
			c.of[r] = a
		}
	}
	c.report.Rules, c.report.Providers = len(c.rules), len(c.providers)
	c.report.RuleLists = len(c.lists())
	if len(c.only) > 0 {
		c.report.Providers = len(c.only)
	}
}

// list names a rule list.
type list struct{ provider, merchant string }

// lists are the rule lists of merchants with a file and of all others, without those at providers that a merchant does not use. Those
// of no merchant come first, one for each provider.
func (c *checker) lists() []list {
	var all []list
	for _, m := range c.merchants {
		for _, p := range c.providers {
			if c.e.Rules.Uses(m, p) {
				all = append(all, list{p, m})
			}
		}
	}
	return all
}

// wanted reports whether a finding is about a provider to report about. A rule is if it is tried at one. Everything is looked at
// all the same: whether a rule never decides is a matter of all providers.
func (c *checker) wanted(f *Finding) bool {
	if len(c.only) == 0 {
		return true
	}
	chosen := func(p string) bool { return slices.Contains(c.only, p) }
	if len(f.Providers) > 0 {
		return slices.ContainsFunc(f.Providers, chosen)
	}
	for _, r := range c.rules {
		if r.file.Name == f.File && r.ID == f.Rule {
			return len(r.seen) == 0 || slices.ContainsFunc(r.seen, func(o outcome) bool { return chosen(o.provider) && o.state != notApplicable })
		}
	}
	for _, p := range c.providers {
		if file := c.e.Rules.Providers[p]; !chosen(p) && file != nil && file.Name == f.File {
			return false
		}
	}
	return true
}

// warnings copies the engine's own warnings into the report.
func (c *checker) warnings() {
	for _, w := range c.e.Warnings {
		c.report.add(Finding{Kind: AmountCurrency, Severity: Warning, Place: Place{File: w.File, Line: w.Line, Column: w.Column}, Message: w.Msg})
	}
}

// reachAll lists the situations that can occur at each provider.
func reachAll(e *ruleset.Engine, providers, merchants []string) map[string][]space.Reached {
	all := make([][]space.Reached, len(providers))
	each(len(providers), func(i int) {
		for _, cat := range e.CatalogsOf(providers[i], merchants) {
			all[i] = append(all[i], space.Reachable(cat, space.AbsentAt(e, providers[i], merchants))...)
		}
	})
	by := map[string][]space.Reached{}
	for i, p := range providers {
		by[p] = all[i]
	}
	return by
}

// each calls do for every number below n, in parallel on every core.
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

// home returns the rule lists in which no layer above the rule's own takes part.
func (c *checker) home(r *checkedRule) (providers []string, merchant string) {
	if r.file.Provider != "" {
		return []string{r.file.Provider}, ""
	}
	return slices.DeleteFunc(slices.Clone(c.providers), func(p string) bool { return !c.e.Rules.Uses(r.file.Merchant, p) }), r.file.Merchant
}

// place returns the place of a rune of the rule's condition; 0 is where the condition begins.
func (r *checkedRule) place(offset int) Place {
	p := r.WhenAt(offset)
	return Place{File: p.File, Line: p.Line, Column: p.Column, Rule: r.ID}
}

func (r *checkedRule) related() Place {
	return Place{File: r.Pos.File, Line: r.Pos.Line, Rule: r.ID}
}

// severityFor lowers a finding in an embedded file to a note when the user has files of their
// own: the user cannot change the embedded ones.
func (c *checker) severityFor(f *rules.File, s Severity) Severity {
	if c.own && f.Builtin() {
		return Note
	}
	return s
}
