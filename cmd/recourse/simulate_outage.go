package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/recourse-pay/recourse/internal/outage"
	"github.com/recourse-pay/recourse/simulate"
)

// writeOutages prints what the outages do, a provider at a time.
func writeOutages(w io.Writer, report *simulate.Report) {
	for i := range report.Outages {
		r := &report.Outages[i]
		fmt.Fprintf(w, "\noutage of %s: %s flows around it, %s called in it\n", r.Provider, count(r.Flows), count(r.Met))
		for _, o := range r.Windows {
			fmt.Fprintf(w, "  %s, from %s to %s: %s\n", o.Operation, o.From.Format(time.RFC3339Nano), o.To.Format(time.RFC3339Nano), o.Fault)
		}
		sides := []struct {
			name string
			*outage.Side
		}{{"no outage", &r.Without}, {"none arrived", &r.Lost}, {"all arrived", &r.Arrived}}
		tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
		row := func(what string, value func(s *outage.Side) string) {
			fmt.Fprintf(tw, "  %s\t", what)
			for _, s := range sides {
				fmt.Fprintf(tw, "%s\t", value(s.Side))
			}
			fmt.Fprintln(tw)
		}
		fmt.Fprint(tw, "  calls without an answer:\t")
		for _, s := range sides {
			fmt.Fprintf(tw, "%s\t", s.name)
		}
		fmt.Fprintln(tw)
		row("calls a second before", func(s *outage.Side) string { return rate(s.Before.Mean, s.Before.Peak) })
		row("during", func(s *outage.Side) string { return rate(s.During.Mean, s.During.Peak) })
		row("after", func(s *outage.Side) string { return rate(s.After.Mean, s.After.Peak) })
		row("amplification", func(s *outage.Side) string { return fmt.Sprintf("%.2f", s.Amplification) })
		row("sends", func(s *outage.Side) string { return count(s.Sends) })
		row("queries", func(s *outage.Side) string { return count(s.Queries) })
		row("delayed by the budget", func(s *outage.Side) string { return count(s.Delayed.Budget) })
		row("delayed by a breaker", func(s *outage.Side) string { return count(s.Delayed.Breaker) })
		row("99 % over after", func(s *outage.Side) string { return short(s.DrainMS) })
		row("all over after", func(s *outage.Side) string { return short(s.LastMS) })
		row("succeeded", func(s *outage.Side) string { return count(s.Ends.Succeeded) })
		row("failed", func(s *outage.Side) string { return count(s.Ends.Failed) })
		row("escalated", func(s *outage.Side) string { return count(s.Ends.Escalated) })
		row("open", func(s *outage.Side) string { return count(s.Ends.Open) })
		row("not started", func(s *outage.Side) string { return count(s.Ends.Refused) })
		row("executed twice", func(s *outage.Side) string { return count(s.Harms.ExecutedTwice) })
		row("failed, and executed", func(s *outage.Side) string { return count(s.Harms.FailedThoughExecuted) })
		row("succeeded, and did not execute", func(s *outage.Side) string { return count(s.Harms.SucceededThoughNotExecuted) })
		_ = tw.Flush()
		for _, s := range sides[1:] {
			for _, c := range s.Otherwise {
				fmt.Fprintf(w, "  %s: %s %s instead of %s, for example flow %s\n", s.name, count(c.Flows), c.To, c.From, plain(c.Example))
			}
		}
		writeOutageMoney(w, r.Money)
	}
}

// writeOutageMoney prints the amounts that end otherwise.
func writeOutageMoney(w io.Writer, all []outage.Money) {
	for i := range all {
		m := &all[i]
		fmt.Fprintf(w, "  %s, of %s: without the outage, and with it at least and at most\n", m.Currency, formatMinor(m.Volume, m.Currency))
		tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
		for _, row := range []struct {
			what string
			b    *outage.Bound
		}{
			{"succeeded", &m.Succeeded}, {"failed", &m.Failed}, {"escalated", &m.Escalated}, {"open", &m.Open}, {"not started", &m.Refused},
			{"executed twice", &m.ExecutedTwice},
		} {
			fmt.Fprintf(tw, "    %s\t%s\t%s\t%s\t\n", row.what, formatMinor(row.b.Without, m.Currency), formatMinor(row.b.Least, m.Currency), formatMinor(row.b.Most, m.Currency))
		}
		_ = tw.Flush()
	}
}

// rate is "12.3, peak 40".
func rate(mean float64, peak int) string { return fmt.Sprintf("%.2f, peak %d", mean, peak) }
