package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/imports"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/audit"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit FILE...",
		Short: "Find payments charged twice, marked failed though they executed, or left open",
		Long: `Reads recordings (and HAR files, cassettes and stubs, as import reads them) and lists the payments
that were or may have been charged twice, that were marked failed though they executed or may have,
that were marked succeeded without proof, or that were left open: each with its story, what every
answer proves, the amount, and the rule that would have decided otherwise. No rules are needed.

Exit codes: 0 nothing was found, 1 something was, 2 could not run.`,
		Example: `  recourse audit june.jsonl.gz july.jsonl.gz
  recourse audit --json testdata/recordings
  recourse audit shop.har`,
		Args: cobra.MinimumNArgs(1),
	}
	dir := rulesFlag(cmd)
	window := cmd.Flags().Duration("window", 168*time.Hour, "how long after its last line a payment may still get one, in recording time")
	limit := cmd.Flags().Int("limit", 20, "findings that are shown, the gravest first; all are counted")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case *window <= 0:
			return errors.New("--window must be longer than nothing")
		case *limit < 0 || *limit > 1_000_000:
			return fmt.Errorf("--limit %d: it must be from 0 to 1000000", *limit)
		}
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(cmd.Context())
		defer stop()
		inputs, done, err := auditInputs(ctx, cmd, e, args)
		defer done()
		if err != nil {
			return err
		}
		report, err := audit.Run(ctx, audit.Options{
			Decider: e, Catalog: e.Catalog, Window: *window, Stories: *limit,
			Broken: func(l audit.LineError) { fmt.Fprintln(cmd.ErrOrStderr(), plain(redact.Cards(l.Error()))) },
		}, inputs)
		if err == nil {
			err = readNothing(report.Lines, report.BrokenLines, report.Payments)
		}
		if err != nil {
			return errors.Join(err, otherKind(args, false))
		}
		redact.NewHider().Report(report)
		return concluded(cmd, *asJSON, report, func(w io.Writer) { writeHarms(w, report) }, nil, report.Holds())
	}
	return cmd
}

// auditInputs opens files and folders. What another tool made is imported on the way.
func auditInputs(ctx context.Context, cmd *cobra.Command, e *ruleset.Engine, paths []string) (inputs []audit.Input, done func(), err error) {
	var open []*traffic.Source
	done = func() {
		for _, s := range open {
			s.Close()
		}
	}
	add := func(path string, named bool) error {
		s, err := traffic.Open(ctx, path, "")
		if err != nil {
			return err
		}
		open = append(open, s)
		switch {
		case s.Format.CanImport() && !s.Format.NeedsTable():
			inputs = append(inputs, audit.Input{Name: path, Reader: importing(ctx, cmd, e, path), Placed: true})
		case s.Format.IsRecording() || named || strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".jsonl.gz"):
			inputs = append(inputs, audit.Input{Name: path, Reader: s.Text()})
		default:
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s; it is not read\n", path, s.Format.Title)
		}
		return nil
	}
	for _, path := range paths {
		if path == "-" {
			s, err := traffic.From("stdin", interruptible(ctx, cmd.InOrStdin()), "")
			if err != nil {
				return nil, done, err
			}
			inputs = append(inputs, audit.Input{Name: "stdin", Reader: s.Text()})
			continue
		}
		files, folder, err := filesBelow(path)
		if err != nil {
			return nil, done, err
		}
		for _, f := range files {
			if err := add(f, !folder); err != nil {
				return nil, done, err
			}
		}
	}
	if len(inputs) == 0 {
		return nil, done, fmt.Errorf("%s: no recording is in it, and nothing that could be imported", strings.Join(paths, " "))
	}
	return inputs, done, nil
}

// filesBelow are the files of a folder in the order of their names, or the one file that path is.
func filesBelow(path string) (files []string, folder bool, err error) {
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		folder = folder || err == nil && d.IsDir()
		return err
	})
	slices.Sort(files)
	return files, folder, err
}

// importing is a file of another tool as a recording.
func importing(ctx context.Context, cmd *cobra.Command, e *ruleset.Engine, path string) io.Reader {
	out, to := io.Pipe()
	o := &imports.Options{Catalogs: e.Catalogs, Catalog: e.Catalog, LeftOut: func(p *traffic.PlaceError) { fmt.Fprintln(cmd.ErrOrStderr(), plain(p.Error())) }}
	go func() {
		_, err := imports.Run(ctx, o, to, path)
		to.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { to.CloseWithError(context.Cause(ctx)) })
	return out
}

// auditWords are the kinds of findings, for people.
var auditWords = map[audit.Kind]string{
	audit.ChargedTwice:          "charged twice",
	audit.MayBeChargedTwice:     "may have been charged twice",
	audit.FailedThoughExecuted:  "marked failed though executed",
	audit.FailedInDoubt:         "marked failed, may have executed",
	audit.SucceededThoughNot:    "marked succeeded though not executed",
	audit.SucceededWithoutProof: "marked succeeded without proof",
	audit.PaidAnotherAmount:     "marked succeeded, another amount was paid",
	audit.LeftOpen:              "left open, may have executed",
}

func writeHarms(w io.Writer, r *audit.Report) {
	fmt.Fprintf(w, "%s lines, %s payments", count(r.Lines), count(r.Payments))
	for _, extra := range []struct {
		n    int
		what string
	}{
		{r.Reconciled, "with reconciliation"}, {r.BrokenLines, "lines that cannot be read"}, {r.Duplicates, "repeated lines"},
		{r.Incomplete, "payments without a send"}, {r.Running, "still under way"},
	} {
		if extra.n > 0 {
			fmt.Fprintf(w, ", %s %s", count(extra.n), extra.what)
		}
	}
	fmt.Fprintln(w)
	writeLacks(w, r.Lacks)
	if r.Holds() {
		fmt.Fprintln(w, "\nNothing was found.")
		return
	}
	fmt.Fprintln(w)
	for _, t := range r.Totals {
		fmt.Fprintf(w, "%8s  %-45s %s\n", count(t.Count), auditWords[t.Kind], sums(t.Money))
	}
	for _, f := range r.Findings {
		writeHarm(w, f)
	}
}

func sums(all []audit.Money) string {
	parts := make([]string, 0, len(all))
	for _, m := range all {
		parts = append(parts, money(m.Amount, m.Currency))
	}
	return strings.Join(parts, ", ")
}

// money is an amount with the decimals of its currency.
func money(minor int64, currency string) string {
	decimals, known := policy.Decimals(currency)
	if !known || decimals == 0 {
		return strings.TrimSpace(fmt.Sprintf("%d %s", minor, currency))
	}
	digits := fmt.Sprintf("%0*d", decimals+1, minor)
	return digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:] + " " + currency
}

func writeHarm(w io.Writer, f *audit.Finding) {
	p := &f.Payment
	name := f.Flow
	if p.Key != "" {
		name = p.Key
	}
	fmt.Fprintf(w, "\n%s: %s %s %s %s, %s\n", auditWords[f.Kind], plain(p.Merchant), p.Provider, p.Operation, plain(name), money(f.Amount, p.Currency))
	for _, s := range f.Story {
		mark := " "
		if s.Mistake {
			mark = "!"
		}
		proves := ""
		if s.Proves != "" {
			proves = " → " + s.Proves
		}
		fmt.Fprintf(w, "  %s %s  %s%s  (%s)\n", mark, s.At.Format("2006-01-02 15:04:05.000"), plain(s.What), plain(proves), plain(s.Source))
	}
	r := &f.Rule
	switch {
	case r.ID != "":
		fmt.Fprintf(w, "    instead: %s, by rule %s (%s): %s\n", r.Action, r.ID, r.Source, r.Reason)
	default:
		fmt.Fprintf(w, "    instead: %s: %s\n", r.Action, r.Reason)
	}
}
