package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/decisions"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

func replayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay LOG...",
		Short: "Make each decision of a decision log again, and list those that come out otherwise",
		Long: `Reads the decision log of recourse serve (files, folders, or - for standard input; plain or gzipped) and makes
each decision again by the rules of --rules, from the answer and what went before it as they stand in the line.
What comes out otherwise is listed with both decisions. By the rules whose digest stands in the line it comes out
the same, byte by byte; lines of other rules are counted by their digest.

A line of which the log says that its decision cannot be made again (something that counted was redacted, or the
flow decided and not the rules) is counted, and so is an answer about which nothing was decided.

Exit codes: 0 every decision came out the same, 1 one came out otherwise, 2 could not run: a line cannot be read, or
there is no decision that can be made again.`,
		Example: `  recourse replay --rules rules decisions
  recourse replay --rules rules.new decisions/2026-01-02-001.jsonl.gz`,
		Args: cobra.MinimumNArgs(1),
	}
	dir := rulesFlag(cmd)
	most := cmd.Flags().Int("limit", 1000, "decisions that are listed; all are counted")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *most < 0 {
			return fmt.Errorf("--limit %d: it must be 0 or more", *most)
		}
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		r := replaying{e: e, most: *most, errs: cmd.ErrOrStderr(), digests: map[string]int{}, reasons: map[string]int{}, report: replayed{V: 1, Loaded: e.Digest(), Rules: []replayedRules{}, Differences: []difference{}}}
		if !*asJSON {
			r.out = cmd.OutOrStdout()
		}
		if err := r.paths(cmd, args); err != nil {
			return err
		}
		if err := concluded(cmd, *asJSON, &r.report, func(w io.Writer) { writeReplayed(w, &r.report) }, nil, true); err != nil {
			return err
		}
		return r.report.err()
	}
	return cmd
}

// replayed is the report.
type replayed struct {
	V         int             `json:"v"`
	Loaded    string          `json:"loaded"` // the digest of the rules of --rules
	Files     int             `json:"files"`
	Lines     int             `json:"lines"`
	Broken    int             `json:"broken_lines"`
	Cut       int             `json:"cut_lines"` // the last of a file, which a crash cut off
	Undecided int             `json:"undecided"` // lines without a decision
	NotAgain  int             `json:"not_again"`
	Why       []replayedWhy   `json:"why,omitempty"`
	Same      int             `json:"same"`
	Different int             `json:"different"`
	Rules     []replayedRules `json:"rules"`

	Differences []difference `json:"differences"`
}

// replayedWhy counts lines that cannot be made again.
type replayedWhy struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
}

// replayedRules counts decisions by the rules that made them.
type replayedRules struct {
	Digest    string `json:"digest"`
	Decisions int    `json:"decisions"`
	Different int    `json:"different"`
}

// difference is a decision that came out otherwise.
type difference struct {
	File  string          `json:"file"`
	Line  int             `json:"line"`
	Rules string          `json:"rules"`
	Was   json.RawMessage `json:"was"`
	Is    json.RawMessage `json:"is"`
}

func (r *replayed) err() error {
	switch {
	case r.Broken > 0:
		return fmt.Errorf("%s lines cannot be read", count(r.Broken))
	case r.Different > 0:
		return errDoesNotHold
	case r.Same == 0:
		return errors.New("no decision was made again: there is none in these files that can be (a decision log is what recourse serve --decision-log writes)")
	}
	return nil
}

// replaying makes decisions again.
type replaying struct {
	e      *ruleset.Engine
	reader *decisions.Reader
	report replayed
	most   int
	out    io.Writer // nil: the differences are not shown as they come
	errs   io.Writer

	digests, reasons map[string]int // places of them in the report
}

func (r *replaying) paths(cmd *cobra.Command, paths []string) error {
	r.reader = decisions.NewReader()
	for _, path := range paths {
		if path == "-" {
			s, err := traffic.From("stdin", interruptible(cmd.Context(), cmd.InOrStdin()), "")
			if err != nil {
				return err
			}
			if err := r.file(cmd.Context(), "stdin", s.Text()); err != nil {
				return err
			}
			continue
		}
		files, folder, err := filesBelow(path)
		if err != nil {
			return err
		}
		if folder {
			files = slices.DeleteFunc(files, func(f string) bool { return !strings.HasSuffix(f, ".jsonl") && !strings.HasSuffix(f, ".jsonl.gz") })
		}
		if len(files) == 0 {
			return fmt.Errorf("%s: no .jsonl or .jsonl.gz file in this folder", path)
		}
		for _, f := range files {
			if err := r.path(cmd.Context(), f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *replaying) path(ctx context.Context, path string) error {
	s, err := traffic.Open(ctx, path, "")
	if err != nil {
		return err
	}
	defer s.Close()
	return r.file(ctx, path, s.Text())
}

// file goes through a file.
func (r *replaying) file(ctx context.Context, name string, from io.Reader) error {
	r.report.Files++
	in := bufio.NewReaderSize(from, 1<<16)
	var raw []byte
	for number := 1; ; number++ {
		var tooLong bool
		var err error
		raw, tooLong, err = readLine(ctx, in, raw)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if line := bytes.TrimSpace(raw); len(line) > 0 || tooLong {
			r.line(name, number, line, tooLong, err != nil)
		}
		if err != nil {
			return ctx.Err()
		}
	}
}

// line makes the decision of a line again. Of the last line of a file, open says that no line break follows: a crash may have cut it off.
func (r *replaying) line(name string, number int, line []byte, tooLong, open bool) {
	r.report.Lines++
	again, err := decisions.Line{}, errTooLong
	if !tooLong {
		again, err = r.reader.Again(r.e, line)
	}
	switch {
	case errors.Is(err, decisions.ErrNone):
		r.report.Undecided++
		return
	case err != nil && open && !json.Valid(line):
		r.report.Cut++
		fmt.Fprintf(r.errs, "%s:%d: the line is cut off, as a crash leaves it; it is passed over\n", name, number)
		return
	case err != nil:
		r.report.Broken++
		fmt.Fprintf(r.errs, "%s:%d: %s\n", name, number, plain(err.Error()))
		return
	}
	rules := r.of(again.Rules)
	rules.Decisions++
	switch {
	case again.NotAgain != "":
		r.notAgain(again.NotAgain)
	case again.Same:
		r.report.Same++
	default:
		r.report.Different++
		rules.Different++
		r.differs(difference{name, number, again.Rules, again.Was, again.Is})
	}
}

func (r *replaying) differs(d difference) {
	if r.report.Different > r.most {
		return
	}
	if r.out == nil {
		r.report.Differences = append(r.report.Differences, d)
		return
	}
	fmt.Fprintf(r.out, "%s:%d: %s\n  was %s\n  is  %s\n", d.File, d.Line, plain(d.Rules), plain(string(d.Was)), plain(string(d.Is)))
}

// mostNamed bounds the digests, and the reasons, that are counted each by itself. A log has few of them; lines that were made up may each have
// their own.
const (
	mostNamed = 1000
	others    = "others"
)

// placeOf is that of a name among those seen, or that of all others.
func placeOf(seen map[string]int, name string) (at int, known bool) {
	at, known = seen[name]
	if !known && len(seen) >= mostNamed {
		name = others
		at, known = seen[name]
	}
	if !known {
		at = len(seen)
		seen[name] = at
	}
	return at, known
}

func (r *replaying) of(digest string) *replayedRules {
	all := &r.report.Rules
	at, known := placeOf(r.digests, digest)
	if !known {
		if len(*all) >= mostNamed {
			digest = others
		}
		*all = append(*all, replayedRules{Digest: digest})
	}
	return &(*all)[at]
}

func (r *replaying) notAgain(why string) {
	r.report.NotAgain++
	all := &r.report.Why
	at, known := placeOf(r.reasons, why)
	if !known {
		if len(*all) >= mostNamed {
			why = others
		}
		*all = append(*all, replayedWhy{Why: why})
	}
	(*all)[at].Count++
}

func writeReplayed(w io.Writer, r *replayed) {
	fmt.Fprintf(w, "%s decisions are the same, %s are not", count(r.Same), count(r.Different))
	for _, extra := range []struct {
		n    int
		what string
	}{{r.Undecided, "lines without a decision"}, {r.Cut, "lines that are cut off"}, {r.Broken, "lines that cannot be read"}} {
		if extra.n > 0 {
			fmt.Fprintf(w, ", %s %s", count(extra.n), extra.what)
		}
	}
	fmt.Fprintln(w)
	for _, why := range r.Why {
		fmt.Fprintf(w, "%s cannot be made again: %s\n", count(why.Count), plain(why.Why))
	}
	fmt.Fprintf(w, "rules of today: %s\n", r.Loaded)
	for _, rules := range r.Rules {
		if rules.Digest != r.Loaded {
			fmt.Fprintf(w, "%s decisions are of other rules: %s (%s of them differ)\n", count(rules.Decisions), plain(rules.Digest), count(rules.Different))
		}
	}
}
