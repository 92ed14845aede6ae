package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/simulate"
)

// failOnChecked refuses a --fail-on that could never fail: CI would be green whatever changed.
func failOnChecked(cmd *cobra.Command, names []string, flow string) error {
	switch {
	case !cmd.Flags().Changed("fail-on"):
	case !cmd.Flags().Changed("against"):
		return errors.New("--fail-on goes with --against")
	case flow != "":
		return errors.New("--fail-on does not go with --flow, which shows one flow and judges none")
	case cmd.Flags().Changed("list"):
		return errors.New("--fail-on does not go with --list, which judges nothing")
	case len(names) == 0:
		return errors.New("--fail-on names no change, such as newly_risky")
	}
	return nil
}

// writeAgainst prints what changes from the rules of --against to those of --rules.
func writeAgainst(w io.Writer, r *simulate.Report) {
	c := r.Against
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\nagainst the other rules: %s flows end alike\n", count(c.Same))
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i := range c.Changes {
		ch := &c.Changes[i]
		fmt.Fprintf(tw, "  %s\t%s", count(ch.Flows), words(ch.Direction))
		for _, m := range ch.Money {
			fmt.Fprintf(tw, "\t%s", formatMinor(m.Amount, m.Currency)+" "+m.Currency)
		}
		fmt.Fprintln(tw)
	}
	_ = tw.Flush()
	for i := range c.Changes {
		ch := &c.Changes[i]
		x := &ch.Examples[0]
		fmt.Fprintf(w, "\n%s, for example flow %s: %s %s\n", words(ch.Direction), plain(x.Flow), x.Payment.Provider, x.Payment.Operation)
		writeBeside(w, x.Before, x.After)
	}
	for _, name := range r.Failed() {
		fmt.Fprintf(w, "\nFAILS: flows are %s\n", words(name))
	}
}

// writeBeside prints the steps that two stories share, and then those of each.
func writeBeside(w io.Writer, before, after []simulate.StoryLine) {
	n := 0
	for n < len(before) && n < len(after) && before[n].What == after[n].What && before[n].At.Equal(after[n].At) && before[n].Rule == after[n].Rule {
		n++
	}
	for _, part := range []struct {
		what  string
		lines []simulate.StoryLine
	}{{"in both", before[:n]}, {"with the other rules", before[n:]}, {"with these rules", after[n:]}} {
		fmt.Fprintln(w, " "+part.what)
		writeStoryLines(w, part.lines)
	}
}
