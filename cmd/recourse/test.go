package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/bundle"
	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

func testCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Test rules, with coverage and mutation",
		Long: `Runs the tests of rules: files NAME.test.toml beside the rules, in the folders and files
that are named; without any, those of --rules, and without that the tests of the rules that
are built in. Where --rules is not given, the folder of the tests is the rules folder.

A test that fails says what was expected, what came out, every rule that was tried with the
part of its condition that did not hold, and where all of it stands. docs/test.md describes
the form of tests on one page; ` + "`recourse init DIR`" + ` writes a first one.

Exit codes: 0 all pass, 1 a test fails, coverage is under --fail-under or a mutant survives,
2 could not run.`,
		Example: `  recourse test myrules
  recourse test myrules/merchants/acme.test.toml --run payday -v
  recourse test myrules --cover --fail-under 100
  recourse test myrules --mutate
  recourse test myrules --watch`,
	}
	q := testRun{rules: rulesFlag(cmd)}
	f := cmd.Flags()
	f.BoolVarP(&q.verbose, "verbose", "v", false, "name the tests that pass, and every gap")
	f.StringVar(&q.only, "run", "", "only tests whose name matches this regular expression")
	f.BoolVar(&q.asJSON, "json", false, "print all of it as one JSON object")
	f.BoolVar(&q.asTAP, "tap", false, "print TAP")
	f.BoolVar(&q.watch, "watch", false, "run again whenever a file of rules or tests changes, until Ctrl-C")
	f.BoolVar(&q.update, "update", false, "write what came out in the place of what was expected, after asking")
	f.BoolVar(&q.yes, "yes", false, "with --update: do not ask")
	f.BoolVar(&q.cover, "cover", false, "say what no test looked at, with a test to paste for each gap")
	f.Float64Var(&q.failUnder, "fail-under", 0, "with --cover: fail under this percentage of rules, or of parts of conditions")
	f.BoolVar(&q.mutate, "mutate", false, "change the rules in small ways and say which changes no test notices")
	q.junit = outputFile(cmd, "junit", "xml", "also write JUnit's XML to this file")
	cmd.RunE = q.run
	return cmd
}

// testRun holds the flags of the command.
type testRun struct {
	rules, junit                                              *string
	only                                                      string
	verbose, asJSON, asTAP, watch, update, yes, cover, mutate bool
	failUnder                                                 float64

	paths    []string
	beside   bool // the rules folder is that of a named file, and may be any folder
	match    *regexp.Regexp
	cutShort error // why the mutation ended early; nil: it did not
}

func (q *testRun) run(cmd *cobra.Command, args []string) error {
	var err error
	if q.match, err = regexp.Compile(q.only); err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	switch {
	case q.asJSON && q.asTAP:
		return errors.New("--json and --tap are two forms of the same; choose one")
	case q.yes && !q.update:
		return errors.New("--yes goes with --update")
	case q.watch && (q.update || q.mutate || q.asJSON || q.asTAP):
		return errors.New("--watch goes with none of --update, --mutate, --json and --tap")
	case q.failUnder != 0 && !q.cover:
		return errors.New("--fail-under goes with --cover")
	case q.only != "" && (q.cover || q.mutate):
		return errors.New("--cover and --mutate look at all tests; leave --run out")
	case !(q.failUnder >= 0 && q.failUnder <= 100): // nor is it no number
		return errors.New("--fail-under is a percentage from 0 to 100")
	}
	if err := q.resolvePaths(args); err != nil {
		return err
	}
	if q.watch {
		return q.keepWatch(cmd)
	}
	return q.runOnce(cmd)
}

// resolvePaths finds the folder of rules and the paths of the tests.
func (q *testRun) resolvePaths(args []string) error {
	q.paths = args
	if *q.rules != "" {
		if len(args) == 0 {
			q.paths = []string{*q.rules}
		}
		return nil
	}
	for _, a := range args {
		dir := folderOf(a)
		if *q.rules != "" && filepath.Clean(*q.rules) != filepath.Clean(dir) {
			return fmt.Errorf("%s and %s are tests of different rules folders; name the rules with --rules", args[0], a)
		}
		*q.rules = dir
		info, err := os.Stat(a)
		q.beside = q.beside || err == nil && !info.IsDir() && dir != a
	}
	return nil
}

// folderOf returns the rules folder of a path of tests.
func folderOf(path string) string {
	if bundle.Is(path) {
		return path
	}
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	if filepath.Base(dir) == "merchants" {
		dir = filepath.Dir(dir)
	}
	return dir
}

// load reads rules and tests.
func (q *testRun) load(cmd *cobra.Command) (*ruleset.Engine, []ruletest.File, []*ruletest.Suite, error) {
	load := openRules
	if q.beside {
		load = ruleset.Open
	}
	e, err := openBy(cmd, load, *q.rules)
	if err != nil {
		return nil, nil, nil, err
	}
	var files []ruletest.File
	if len(q.paths) == 0 {
		files, err = ruletest.Builtin()
	} else {
		files, err = ruletest.Files(q.paths...)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	suites, err := ruletest.Read(e, files)
	return e, files, suites, err
}

// runOnce runs the tests once.
func (q *testRun) runOnce(cmd *cobra.Command) error {
	e, files, suites, err := q.load(cmd)
	if err != nil {
		return err
	}
	began := time.Now()
	results, err := q.results(cmd.Context(), e, suites)
	if err != nil {
		return err
	}
	report := ruletest.NewReport(e, results, time.Since(began))
	if err := q.measure(cmd, e, suites, report); err != nil {
		return err
	}
	err = q.print(cmd.OutOrStdout(), e, results, report)
	if *q.junit != "" {
		err = errors.Join(err, writeFile(cmd, *q.junit, report.WriteJUnit))
	}
	if err = errors.Join(q.cutShort, err); err != nil {
		return err
	}
	if q.update && report.Failed > 0 {
		return q.write(cmd, files, results)
	}
	if report.Failed > 0 || !q.holds(report) {
		return errDoesNotHold
	}
	return nil
}

func (q *testRun) results(ctx context.Context, e *ruleset.Engine, suites []*ruletest.Suite) ([]ruletest.Result, error) {
	var results []ruletest.Result
	for _, s := range suites {
		for _, c := range s.Cases {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if q.match.MatchString(c.Name) {
				results = append(results, c.Run(e))
			}
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("%w to run", ruletest.ErrNoTests)
	}
	return results, nil
}

func (q *testRun) print(w io.Writer, e *ruleset.Engine, results []ruletest.Result, report *ruletest.Report) error {
	switch {
	case q.asJSON:
		return printJSON(w, report)
	case q.asTAP:
		report.WriteTAP(w)
		return nil
	}
	for i := range results {
		r := &results[i]
		switch {
		case !r.Passed():
			fmt.Fprintf(w, "FAIL  %s  (%s:%d)\n\n", ruletest.OneLine(r.Case.Name), r.Case.File, r.Case.Line)
			r.Explain(&indented{w: w}, e)
			fmt.Fprintln(w)
		case q.verbose:
			fmt.Fprintf(w, "ok    %s  (%s:%d)\n", ruletest.OneLine(r.Case.Name), r.Case.File, r.Case.Line)
		}
	}
	fmt.Fprintf(w, "%s passed, %s failed, in %s\n", count(report.Passed), count(report.Failed), millis(max(1, report.Took)))
	q.printMeasures(w, report)
	return nil
}

// write replaces expected values in the test files by the results.
func (q *testRun) write(cmd *cobra.Command, files []ruletest.File, results []ruletest.Result) error {
	if len(q.paths) == 0 {
		return errors.New("--update needs tests in a folder; these are built in")
	}
	all := ruletest.Edits(results)
	in := bufio.NewReader(interruptible(cmd.Context(), cmd.InOrStdin()))
	for _, f := range files {
		edits := all[f.Name]
		if len(edits) == 0 {
			continue
		}
		slices.SortFunc(edits, func(a, b ruletest.Edit) int { return a.Pos.Line - b.Pos.Line })
		for _, e := range edits {
			fmt.Fprintln(cmd.OutOrStdout(), e)
		}
		if !q.yes {
			if !isTerminal(cmd.InOrStdin()) {
				return errors.New("--update asks before it writes; without a terminal say --yes")
			}
			fmt.Fprintf(cmd.OutOrStdout(), "write this to %s? [y/N] ", f.Name)
			answer, err := in.ReadString('\n')
			if err != nil {
				return err
			}
			if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
				continue
			}
		}
		if now, err := os.ReadFile(f.Name); err != nil || !bytes.Equal(now, f.Data) {
			return errors.Join(fmt.Errorf("%s has changed since it was tested; it is left as it is", f.Name), err)
		}
		if err := outfile.Write(cmd.Context(), f.Name, ruletest.Apply(f, edits)); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d changed\n", f.Name, len(edits))
	}
	return errDoesNotHold // until the tests are run again
}

// indented writes lines with an indent. What does not print is escaped: a text of a test may hold commands to a terminal.
type indented struct {
	w      io.Writer
	inside bool // the last write ended within a line
}

// Write implements [io.Writer].
func (i *indented) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		text, ended := strings.CutSuffix(line, "\n")
		text = ruletest.OneLine(text)
		if !i.inside && text != "" {
			text = "  " + text
		}
		if i.inside = !ended; ended {
			text += "\n"
		}
		if _, err := io.WriteString(i.w, text); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
