package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

// shown bounds the codes and rules that are printed.
const shown = 7

// writeReport prints the report of `simulate`.
func writeReport(w io.Writer, r *simulate.Report) {
	fmt.Fprintf(w, "%s lines, %s flows", count(r.Lines), count(r.Recorded.Flows))
	for _, extra := range []struct {
		n    int
		what string
	}{
		{r.BrokenLines, "lines that cannot be read"}, {r.Incomplete, "flows without a send"}, {r.NoTruth, "flows without reconciliation"},
		{r.Repeated, "repeated lines"}, {r.Unsent, "flows with executions of what was not sent"},
	} {
		if extra.n > 0 {
			fmt.Fprintf(w, ", %s %s", count(extra.n), extra.what)
		}
	}
	fmt.Fprint(w, "\n")
	writeLacks(w, r.Lacks)
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tas recorded\twith these rules\t")
	a, b := &r.Recorded, &r.Simulated
	row := func(name string, x, y int) { fmt.Fprintf(tw, "%s\t%s\t%s\t\n", name, count(x), count(y)) }
	risk := func(name string, x, y, most int64) {
		if most == y {
			row(name, int(x), int(y))
			return
		}
		fmt.Fprintf(tw, "%s\t%s\t%s (at most %s)\t\n", name, count(int(x)), count(int(y)), count(int(most)))
	}
	bounds := &r.Bounds
	row("flows", a.Flows, b.Flows)
	row("succeeded", a.Succeeded, b.Succeeded)
	row("failed", a.Failed, b.Failed)
	of := func(what string, n int) {
		if n > 0 {
			fmt.Fprintf(tw, "… of these %s\t\t%s\t\n", what, count(n))
		}
	}
	of("not started, their key was taken", b.Refused)
	row("escalated", a.Escalated, b.Escalated)
	row("still open", a.Open, b.Open)
	of("proved executed", b.ProvedExecuted)
	of("proved not executed", b.ProvedNotExecuted)
	fmt.Fprintf(tw, "off the record\t\t%s\t\n", count(b.OffRecord))
	fmt.Fprintln(tw, "\t\t\t")
	risk("executed more than once", a.ExecutedTwice, b.ExecutedTwice, bounds.ExecutedTwice.Most)
	risk("failed though executed", a.FailedThoughExecuted, b.FailedThoughExecuted, bounds.FailedThoughExecuted.Most)
	risk("succeeded though not executed", a.SucceededThoughNotExecuted, b.SucceededThoughNotExecuted, bounds.SucceededThoughNotExecuted.Most)
	risk("succeeded with another amount", a.SucceededWithAnotherAmount, b.SucceededWithAnotherAmount, bounds.SucceededWithAnotherAmount.Most)
	risk("succeeded though disputed", a.SucceededThoughDisputed, b.SucceededThoughDisputed, bounds.SucceededThoughDisputed.Most)
	fmt.Fprintln(tw, "\t\t\t")
	fmt.Fprintf(tw, "sends a flow\t%.2f\t%.2f\t\n", perFlow(a.Sends, a.Flows), perFlow(b.Sends, b.Flows))
	fmt.Fprintf(tw, "queries a flow\t%.2f\t%.2f\t\n", perFlow(a.Queries, a.Flows), perFlow(b.Queries, b.Flows))
	fmt.Fprintf(tw, "time to the end, p50\t%s\t%s\t\n", millis(a.TimeToEnd.P50), millis(b.TimeToEnd.P50))
	fmt.Fprintf(tw, "p95\t%s\t%s\t\n", millis(a.TimeToEnd.P95), millis(b.TimeToEnd.P95))
	fmt.Fprintf(tw, "p99\t%s\t%s\t\n", millis(a.TimeToEnd.P99), millis(b.TimeToEnd.P99))
	_ = tw.Flush()
	if m := &b.Moved; m.N > 0 {
		fmt.Fprintf(w, "\n%s recorded answers are used at another time than they were recorded: half of them within %s, the farthest %s\n",
			count(m.N), millis(m.P50), millis(m.Max))
	}
	writeMoney(w, r)
	writeCodesThatMatter(w, r)
	writeRulesThatMatter(w, r)
	writeDepartures(w, r)
	writeBreakdowns(w, r)
	writeAgainst(w, r)
	if b.Corrected > 0 {
		fmt.Fprintf(w, "\nThe interlock corrected %s decisions: these rules are not safe by themselves.\n", count(b.Corrected))
	}
	for _, h := range r.Broken {
		fmt.Fprintf(w, "\nDOES NOT HOLD: %s: %s payments, for example flow %s\n", words(h.What), count(h.N), plain(h.Example))
	}
}

func perFlow(n, flows int) float64 { return float64(n) / float64(max(flows, 1)) }

func writeMoney(w io.Writer, r *simulate.Report) {
	fmt.Fprintln(w, "\nmoney at risk")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tas recorded\twith these rules\tescalated\toff the record\tof all\t")
	for i := range r.Money {
		m := &r.Money[i]
		amount := func(n int64) string { return formatMinor(n, m.Currency) }
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t\n", m.Currency, amount(m.Recorded.Total()), amount(m.Simulated.Total()),
			amount(m.Escalated), amount(m.OffRecord), amount(m.Volume))
	}
	_ = tw.Flush()
}

func writeCodesThatMatter(w io.Writer, r *simulate.Report) {
	fmt.Fprintln(w, "\nanswers after which the recorded client did harm")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i := range r.Codes {
		c := &r.Codes[i]
		if i == shown || c.Harmed == 0 {
			break
		}
		fmt.Fprintf(tw, "  %s of %s\t%s %s %s\t%s\tflow %s\n", count(c.Harmed), count(c.Seen), c.Provider, c.Operation, c.Phase, plain(c.Answer), plain(c.Example))
	}
	_ = tw.Flush()
}

func writeRulesThatMatter(w io.Writer, r *simulate.Report) {
	fmt.Fprintln(w, "\nrules that met these answers, and the rules followed most")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i := range r.Rules {
		c := &r.Rules[i]
		if i == shown {
			break
		}
		rule := c.Rule
		if rule == "" {
			rule = "(no rule)"
		}
		fmt.Fprintf(tw, "  %s\t%s\tharm met %s\tfollowed %s\tflow %s\n", rule, c.Action, count(c.Met), count(c.Followed), plain(c.Example))
	}
	_ = tw.Flush()
}

func writeDepartures(w io.Writer, r *simulate.Report) {
	if len(r.Departures) == 0 {
		return
	}
	fmt.Fprintln(w, "\nwhy flows left the record")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, d := range r.Departures {
		fmt.Fprintf(tw, "  %s\t%s\tflow %s\n", count(d.N), d.What, plain(d.Example))
	}
	_ = tw.Flush()
}

// writeStory prints what happened in one flow.
func writeStory(w io.Writer, s *simulate.Story) {
	p := &s.Payment
	fmt.Fprintf(w, "flow %s: %s %s, %s", plain(s.Flow), p.Provider, p.Operation, policy.FormatAmount(p.Amount, p.Currency))
	if p.Merchant != "" {
		fmt.Fprintf(w, ", merchant %s", plain(p.Merchant))
	}
	fmt.Fprintln(w, "\n\nas recorded")
	writeStoryLines(w, s.Recorded)
	fmt.Fprintln(w, "\nwith these rules")
	writeStoryLines(w, s.Simulated)
	fmt.Fprintln(w)
}

func writeStoryLines(w io.Writer, lines []simulate.StoryLine) {
	var start time.Time
	for _, l := range lines {
		at := ""
		if !l.At.IsZero() {
			if start.IsZero() {
				start = l.At
			}
			at = "+" + l.At.Sub(start).Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "  %-14s %s\n", at, plain(l.What))
		if l.Rule != "" {
			fmt.Fprintf(w, "  %-14s     rule %s (%s): %s\n", "", l.Rule, l.Source, l.Reason)
		}
	}
}

// count formats a number with commas between thousands.
func count(n int) string { return formatMinor(int64(n), wholeUnits) }

// wholeUnits stands for a currency without decimals.
const wholeUnits = "JPY"

func millis(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d >= time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.String()
}

func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// formatMinor writes an amount of minor units without its currency: "1,200.50".
func formatMinor(minor int64, currency string) string {
	return strings.TrimSpace(strings.TrimSuffix(policy.FormatAmount(minor, currency), currency))
}
