package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/bundle"
	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/rules"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find what is wrong with rules by looking at them",
		Long: `Looks at the rules of every merchant at every provider: rules that can never decide,
parts of conditions that say nothing, answers without a rule, waits and counts past the
limits or a card scheme's ceiling. Of catalogues it shows answers about another order or
amount that would be evidence, and the line to add. What it says of a rule holds for every input; the
witness is an input that shows it, as the engine decided it. What it cannot see into it
says so of, and counts as both true and false. --provider leaves out findings that are not
about the named providers; a merchant with [merchant] providers in its file is looked at
where it takes payments. See docs/check.md.

Exit codes: 0 no errors, 1 errors (with --strict: or warnings), 2 could not run.`,
		Example: `  recourse check
  recourse check --rules ./rules --notes --provider momo
  recourse check --rules ./rules --strict --sarif findings.sarif`,
		Args: cobra.NoArgs,
	}
	dir := rulesFlag(cmd)
	asJSON := jsonFlag(cmd)
	sarif := outputFile(cmd, "sarif", "sarif", "write the findings to this file, for code review (SARIF 2.1.0)")
	strict := cmd.Flags().Bool("strict", false, "warnings count as errors do")
	notes := cmd.Flags().Bool("notes", false, "show notes as well")
	var only []string
	providerFlag(cmd, &only)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := openPinned(cmd, openRules, *dir)
		if err != nil {
			return err
		}
		if err := (&selection{providers: only}).check(e); err != nil {
			return err
		}
		bar := newCounter(cmd.ErrOrStderr(), "checking")
		report, err := check.Run(cmd.Context(), e, check.Options{Progress: bar.count, Providers: only})
		bar.clear()
		if *sarif != "" {
			err = errors.Join(err, writeFile(cmd, *sarif, report.WriteSARIF))
		}
		return concluded(cmd, *asJSON, report, func(w io.Writer) { printCheck(w, report, *notes) }, err, report.Holds(*strict))
	}
	return cmd
}

func printCheck(w io.Writer, r *check.Report, notes bool) {
	var lines sourceLines
	for i := range r.Findings {
		if f := &r.Findings[i]; notes || f.Severity != check.Note {
			writeFinding(w, f, &lines)
		}
	}
	fmt.Fprintf(w, "%s rules, %s merchants with a file, %s providers: %s errors, %s warnings, %s notes\n",
		count(r.Rules), count(r.Merchants), count(r.Providers), count(r.Errors), count(r.Warnings), count(r.Notes))
	if r.Notes > 0 && !notes {
		fmt.Fprintln(w, "(--notes shows the notes)")
	}
	if !r.Complete {
		fmt.Fprintln(w, "Not everything could be looked at.")
	}
}

// writeFinding prints one finding with its source line, a caret, and its witness.
func writeFinding(w io.Writer, f *check.Finding, lines *sourceLines) {
	fmt.Fprintf(w, "%s: %s: %s [%s]\n", f.Place, f.Severity, f.Message, f.Kind)
	if text, ok := lines.line(f.File, f.Line); ok && f.Column > 0 {
		fmt.Fprintf(w, "    %s\n    %s^\n", text, caretIndent(text, f.Column))
	}
	for _, p := range f.Related {
		switch text, ok := lines.line(p.File, p.Line); {
		case !ok:
		case p.Rule == "": // a row of a catalogue
			fmt.Fprintf(w, "    %s  %s\n", p, strings.TrimSpace(text))
		default:
			fmt.Fprintf(w, "    %s  rule %q  %s\n", p, p.Rule, strings.TrimSpace(text))
		}
	}
	if f.Witness != nil {
		writeWitness(w, "    ", "for example", f.Witness.Input)
		if f.Witness.How != "judged" {
			fmt.Fprintf(w, "    there the rules see %s, %s\n", f.Witness.Fact.Effect, f.Witness.Fact.Class)
		}
	}
	fmt.Fprintln(w)
}

func writeWitness(w io.Writer, indent, what string, input any) {
	raw, err := json.Marshal(input)
	if err != nil {
		return // cannot happen: the types are our own
	}
	fmt.Fprintf(w, "%s%s: %s\n", indent, what, raw)
}

// caretIndent returns white space as wide as the text before a column. It keeps tabs.
func caretIndent(text string, column int) string {
	var b strings.Builder
	for i, r := range []rune(text) {
		if i == column-1 {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// sourceLines reads each file once, from the disk or from the embedded defaults.
type sourceLines map[string][]string

func (s *sourceLines) line(file string, n int) (string, bool) {
	if *s == nil {
		*s = sourceLines{}
	}
	lines, known := (*s)[file]
	if !known {
		data, err := bundle.ReadFile(file)
		if err != nil {
			data, err = fs.ReadFile(rules.Builtin(), strings.TrimPrefix(file, "rules/"))
		}
		if err == nil {
			lines = strings.Split(string(data), "\n")
		}
		(*s)[file] = lines
	}
	if n < 1 || n > len(lines) {
		return "", false
	}
	return strings.TrimRight(lines[n-1], "\r"), true
}
