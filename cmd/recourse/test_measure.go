package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

// comparer returns a function that reports whether an engine decides like the base. Several
// goroutines may call it: each call takes a Comparer of its own from a pool, because a Comparer
// keeps compiled conditions.
func comparer(base *ruleset.Engine) func(a, b *ruleset.Engine) (same, exact bool) {
	free := sync.Pool{New: func() any { return diff.NewComparer(base) }}
	return func(_, b *ruleset.Engine) (same, exact bool) {
		c := free.Get().(*diff.Comparer)
		defer free.Put(c)
		v := c.Compare(b)
		return v.Same, v.Exact
	}
}

// measure measures coverage and mutation, if all tests pass.
func (q *testRun) measure(cmd *cobra.Command, e *ruleset.Engine, suites []*ruletest.Suite, report *ruletest.Report) error {
	if report.Failed > 0 {
		return nil
	}
	var err error
	if q.cover {
		if report.Coverage, err = ruletest.Cover(e, suites, q.mine(e)); err != nil {
			return err
		}
	}
	if !q.mutate {
		return nil
	}
	bar := newCounter(cmd.ErrOrStderr(), "mutants")
	report.Mutations, err = ruletest.Mutate(cmd.Context(), e, suites, ruletest.MutateOptions{
		Equivalent: comparer(e),
		Files:      q.mine(e),
		Progress:   bar.count,
	})
	bar.clear()
	q.cutShort = err // returned after the results so far are printed
	return nil
}

// mine returns a function that reports whether a file is the user's own. It is nil when the
// folder has no rules: then all files are measured.
func (q *testRun) mine(e *ruleset.Engine) func(file string) bool {
	if *q.rules == "" {
		return nil
	}
	in := func(file string) bool {
		return strings.HasPrefix(file, filepath.Clean(*q.rules)+string(filepath.Separator))
	}
	for _, f := range e.Rules.Files() {
		if in(f.Name) {
			return in
		}
	}
	return nil
}

func (q *testRun) printMeasures(w io.Writer, report *ruletest.Report) {
	switch {
	case report.Failed > 0 && (q.cover || q.mutate):
		fmt.Fprintln(w, "coverage and mutation are measured once all tests pass")
	default:
		if report.Coverage != nil {
			q.printCoverage(w, report.Coverage)
		}
		if report.Mutations != nil {
			q.printMutations(w, report.Mutations)
		}
	}
}

func (q *testRun) printCoverage(w io.Writer, c *ruletest.Coverage) {
	fmt.Fprintln(w, "\ncoverage")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what string, s ruletest.Share) {
		fmt.Fprintf(tw, "  %s\t%s of %s\t%s\n", what, count(s.Covered), count(s.All), percent(s.Percent))
	}
	line("rules", c.Rules)
	line("parts of conditions, true and false", c.Parts)
	line("codes and statuses", c.Codes)
	for i := range c.Merchants {
		m := &c.Merchants[i]
		name := "merchant " + m.Merchant
		if m.Merchant == "" {
			name = "no merchant"
		}
		fmt.Fprintf(tw, "  %s\trules %s of %s\tcodes %s of %s\n", name, count(m.Rules.Covered), count(m.Rules.All), count(m.Codes.Covered), count(m.Codes.All))
	}
	_ = tw.Flush()
	for i := range c.Gaps {
		g := &c.Gaps[i]
		if g.Kind == "codes" && !q.verbose {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", g)
		q.printTest(w, g.Test, "no single answer shows it; a [[flow]] might")
	}
	if !q.verbose && c.Codes.Covered < c.Codes.All {
		fmt.Fprintln(w, "\n-v names the codes that no test has, with tables to paste")
	}
}

func (q *testRun) printMutations(w io.Writer, m *ruletest.Mutations) {
	fmt.Fprintf(w, "\nmutation\n  %s of %s noticed, %s", count(m.Killed), count(m.Killed+m.Survived), percent(m.Score))
	if m.Equivalent > 0 {
		fmt.Fprintf(w, "; %s change nothing", count(m.Equivalent))
	}
	if m.Refused > 0 {
		fmt.Fprintf(w, "; %s do not compile", count(m.Refused))
	}
	if m.Unfinished > 0 {
		fmt.Fprintf(w, "; %s not tried", count(m.Unfinished))
	}
	fmt.Fprintln(w)
	for i := range m.Mutants {
		x := &m.Mutants[i]
		switch {
		case x.Outcome == ruletest.Survived:
			fmt.Fprintf(w, "\n%s: no test notices it\n", x)
			q.printTest(w, x.Test, "no single answer shows it; a [[flow]] might, or it changes nothing")
		case q.verbose:
			fmt.Fprintf(w, "%s: %s %s\n", x, x.Outcome, x.By)
		}
	}
}

func (q *testRun) printTest(w io.Writer, test, otherwise string) {
	if test == "" {
		fmt.Fprintf(w, "  (%s)\n", otherwise)
		return
	}
	for line := range strings.Lines(test) {
		fmt.Fprintf(w, "    %s", line)
	}
}

// percent rounds down, so that 100 % means all.
func percent(p float64) string { return fmt.Sprintf("%.4g %%", math.Floor(p*10)/10) }

// holds reports whether coverage and mutation reach what was asked for.
func (q *testRun) holds(report *ruletest.Report) bool {
	if m := report.Mutations; m != nil && m.Survived+m.Unfinished > 0 {
		return false
	}
	c := report.Coverage
	return c == nil || c.Rules.Percent >= q.failUnder && c.Parts.Percent >= q.failUnder
}
