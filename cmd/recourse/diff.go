package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// embedded is the argument for the embedded rules, in place of a folder.
const embedded = "embedded"

func diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say exactly what changes between two sets of rules",
		Long: `Compares what two folders of rules decide, for every merchant at every provider, and shows
the situations whose decision changes, by the direction in which that moves the risk to
money: riskier ones first. Changed limits, contract lines and catalogues count as well.
Each change is shown by an input that was put to both. The word "embedded" in place of a
folder stands for the rules that ship with the program; a folder that is called so is
written ./embedded. --provider compares at the named providers only; a merchant with
[merchant] providers in its file is compared where it takes payments. See docs/check.md
for the order of risk.

Exit codes: 0 nothing is riskier but what --allow names, 1 something is, or could not be
compared, 2 could not run.`,
		Example: `  recourse diff embedded ./rules
  recourse diff ./rules ./rules.new --short --provider momo
  recourse diff ./rules ./rules.new --json
  recourse diff ./rules ./rules.new --allow 'momo/in-doubt->give-up'`,
		Args: cobra.ExactArgs(2),
	}
	asJSON := jsonFlag(cmd)
	short := cmd.Flags().Bool("short", false, "a line for each change, with an example")
	allow := cmd.Flags().StringArray("allow", nil, "the name of a riskier change that is meant; may be given several times")
	var only []string
	providerFlag(cmd, &only)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		before, err := openNamed(args[0])
		if err != nil {
			return err
		}
		after, err := openNamed(args[1])
		if err != nil {
			return err
		}
		if err := (&selection{providers: only}).check(before, after); err != nil {
			return err
		}
		bar := newCounter(cmd.ErrOrStderr(), "comparing")
		report, err := diff.Run(cmd.Context(), before, after, diff.Options{Allow: *allow, Providers: only, Progress: bar.count})
		bar.clear()
		for _, name := range report.Unused {
			fmt.Fprintf(cmd.ErrOrStderr(), "recourse: --allow %s: no riskier change is called that\n", name)
		}
		return concluded(cmd, *asJSON, report, func(w io.Writer) { writeDiff(w, report, *short) }, err, report.Holds())
	}
	return cmd
}

func openNamed(dir string) (*ruleset.Engine, error) {
	switch dir {
	case embedded:
		dir = ""
	case "":
		return nil, fmt.Errorf("an empty name is no folder of rules; write %q for the rules that ship with the program", embedded)
	}
	return openRules(dir)
}

func writeDiff(w io.Writer, r *diff.Report, short bool) {
	l, writeChange := inFull, writeChange
	if short {
		l, writeChange = inShort, writeShortChange
	}
	for _, risk := range []diff.Risk{diff.Riskier, diff.Safer, diff.Other} {
		for i := range r.Changes {
			if c := &r.Changes[i]; c.Risk == risk {
				writeChange(w, c)
			}
		}
		for i := range r.Facts {
			if f := &r.Facts[i]; f.Risk == risk {
				l.heading(w, risk, f.Allowed, f.Name)
				fmt.Fprintf(w, "%s %s, %s: %s%sproves %s, %s; before: %s, %s%s", f.Provider, f.Operation, f.Phase,
					strings.Join(f.What, "; "), l.next, f.After.Effect, f.After.Class, f.Before.Effect, f.Before.Class, l.end)
			}
		}
		for i := range r.Terms {
			if t := &r.Terms[i]; t.Risk == risk {
				l.heading(w, risk, t.Allowed, t.Name)
				fmt.Fprintf(w, "%s%s%s: %s, before: %s%s", t.Provider, prefixed(" ", strings.Join(t.Operations, ", ")),
					whose(t.Merchants), t.After, t.Before, l.end)
			}
		}
	}
	if len(r.Changes)+len(r.Facts)+len(r.Terms) == 0 {
		fmt.Fprintln(w, "The two decide alike.")
	} else {
		fmt.Fprintf(w, "%s riskier, %s safer, %s other", count(r.Riskier), count(r.Safer), count(r.Other))
		if r.Allowed > 0 {
			fmt.Fprintf(w, ", %s allowed", count(r.Allowed))
		}
		fmt.Fprintln(w)
	}
	for _, u := range r.Unknown {
		fmt.Fprintf(w, "Not compared: %s\n", u)
	}
}

// layout holds the text between the parts of a change and after the last one.
type layout struct{ next, end string }

var (
	inFull  = layout{"\n    ", "\n\n"}
	inShort = layout{"  ", "\n"}
)

// heading prints the first lines of a change.
func (l layout) heading(w io.Writer, r diff.Risk, allowed bool, name string) {
	fmt.Fprintf(w, "%s  %s%s", marked(r, allowed), name, l.next)
}

func writeShortChange(w io.Writer, c *diff.Change) {
	inShort.heading(w, c.Risk, c.Allowed, c.Name)
	fmt.Fprintf(w, "%s%s: %s, before %s", c.Money, whose(c.Merchants), c.After.Action, c.Before.Action)
	if c.Witness != nil {
		writeWitness(w, "", "; for example", c.Witness.Input)
		return
	}
	fmt.Fprintln(w)
}

func marked(r diff.Risk, allowed bool) string {
	if allowed {
		return string(r) + " (allowed)"
	}
	return string(r)
}

func prefixed(by, text string) string {
	if text == "" {
		return ""
	}
	return by + text
}

func whose(merchants []string) string {
	var named []string
	for _, m := range merchants {
		if m != "" {
			named = append(named, m)
		}
	}
	switch {
	case len(named) == 0:
		return ""
	case len(named) < len(merchants):
		return ", every merchant without a file, and " + few(named)
	}
	return ", merchant " + few(named)
}

func few(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most-1], ", ") + fmt.Sprintf(" and %d more", len(names)-most+1)
	}
	return strings.Join(names, ", ")
}

func writeChange(w io.Writer, c *diff.Change) {
	inFull.heading(w, c.Risk, c.Allowed, c.Name)
	fmt.Fprintf(w, "%s%s: %s\n", c.Provider, whose(c.Merchants), c.Money)
	if c.FactBefore != nil {
		fmt.Fprintf(w, "    it proves %s, %s; before: %s, %s\n", c.FactAfter.Effect, c.FactAfter.Class, c.FactBefore.Effect, c.FactBefore.Class)
	}
	fmt.Fprintf(w, "    before  %s\n    after   %s\n", shownSide(&c.Before), shownSide(&c.After))
	for i, lines := range c.Regions {
		if i == shown {
			fmt.Fprintf(w, "    … and %d more regions (--json)\n", len(c.Regions)-i)
			break
		}
		if len(lines) == 0 {
			lines = []string{"always"}
		}
		fmt.Fprintf(w, "    where   %s\n", strings.Join(lines, ", "))
	}
	for i, a := range c.Answers {
		if i == shown {
			fmt.Fprintf(w, "    … and answers of %d more operations and phases (--json)\n", len(c.Answers)-i)
			break
		}
		fmt.Fprintf(w, "    %s %s: %s\n", a.Operation, a.Phase, shortened(a.What))
	}
	if len(c.Opaque) > 0 {
		fmt.Fprintf(w, "    cannot see into %s\n", few(c.Opaque))
	}
	if c.Witness != nil {
		writeWitness(w, "    ", "for example", c.Witness.Input)
	}
	fmt.Fprintln(w)
}

func shortened(what []string) string {
	if len(what) > shown {
		return strings.Join(what[:shown], "; ") + fmt.Sprintf("; and %d more", len(what)-shown)
	}
	return strings.Join(what, "; ")
}

func shownSide(s *diff.Side) string {
	text := s.Action.String()
	if s.Waits != "" {
		text += " (" + s.Schedule + ": " + s.Waits + ")"
	}
	if s.Rule == "" {
		return text + ", by no rule"
	}
	return fmt.Sprintf("%s, by rule %q  %s", text, s.Rule, s.Source)
}
