package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

// moreFlags are the flags of `simulate` that ask for more than the report.
type moreFlags struct {
	html, list *string
	by         *[]string
	outages    *[]string
	regions    *bool
}

func moreOf(cmd *cobra.Command) *moreFlags {
	return &moreFlags{
		html:    outputFile(cmd, "html", "html", "write the report as one page that a browser opens from disk, with charts and stories"),
		list:    cmd.Flags().String("list", "", "print the flows behind a number, as CSV or --json: recorded.failed, simulated.escalated, against.changes.lost, …"),
		regions: cmd.Flags().Bool("regions", false, "with --against: what diff finds between the rules, with the flows that meet each change"),
		outages: cmd.Flags().StringArray("outage", nil, "lay an outage over the recording, PROVIDER:OPERATION:LENGTH[:FAULT][@TIME]: momo:pay:10m (repeatable)"),
		by:      cmd.Flags().StringSlice("by", nil, "break the numbers down by provider, merchant, operation, week"),
	}
}

// set asks the simulation for what the flags want.
func (m *moreFlags) set(cmd *cobra.Command, o *simulate.Options) error {
	if o.Flow != "" && (cmd.Flags().Changed("list") || cmd.Flags().Changed("html") || len(*m.by) > 0) {
		return errors.New("--flow shows one flow; --list, --html and --by are about all")
	}
	if cmd.Flags().Changed("list") && *m.list == "" {
		return errors.New("--list needs the name of a number, such as recorded.failed")
	}
	if *m.regions && o.Against == nil {
		return errors.New("--regions goes with --against")
	}
	if len(*m.outages) > 0 && (o.Flow != "" || o.Against != nil || cmd.Flags().Changed("list")) {
		return errors.New("--outage goes neither with --flow and --list, which show what is recorded, nor with --against: run it once with each folder of rules")
	}
	o.Outages = *m.outages
	o.By, o.List, o.Page = *m.by, *m.list, cmd.Flags().Changed("html")
	return nil
}

// finish adds to the report what --regions asks for, and writes the page.
func (m *moreFlags) finish(cmd *cobra.Command, in *pageInput, before, after policy.Decider) (*withRegions, error) {
	old, is := before.(*ruleset.Engine)
	now, too := after.(*ruleset.Engine)
	if *m.regions && is && too {
		bar := newCounter(cmd.ErrOrStderr(), "comparing")
		var err error
		in.report.Regions, err = changedRegions(cmd.Context(), in.report.Report, old, now, bar.count)
		bar.clear()
		if err != nil {
			return nil, err
		}
	}
	if !cmd.Flags().Changed("html") {
		return in.report, nil
	}
	return in.report, writeFile(cmd, *m.html, func(w io.Writer) error { return writePage(w, in) })
}

// listHead names the columns of a list.
var listHead = []string{
	"flow", "merchant", "provider", "operation", "payment_key", "at", "week", "amount", "currency", "amount_minor", "first_answer",
	"recorded_end", "recorded_harm", "recorded_action", "recorded_sends", "recorded_queries", "recorded_time_to_end_ms",
	"simulated_end", "simulated_harm", "simulated_action", "simulated_sends", "simulated_queries", "simulated_time_to_end_ms", "departure",
	"against_end", "against_harm", "against_action", "against_sends", "against_queries", "against_time_to_end_ms", "change",
}

// writeList prints the flows behind a number as CSV.
func writeList(w io.Writer, r *simulate.Report) error {
	out := csv.NewWriter(w)
	head := listHead
	if r.Against == nil {
		head = head[:len(head)-7]
	}
	if err := out.Write(head); err != nil {
		return err
	}
	flows := r.Listed()
	for i := range flows {
		f := &flows[i]
		row := []string{
			f.Flow, f.Merchant, f.Provider, f.Operation, f.Key, f.At.Format(time.RFC3339Nano), f.Week,
			strings.ReplaceAll(formatMinor(f.Amount, f.Currency), ",", ""), f.Currency, number64(f.Amount), f.Answer,
		}
		side := f.Recorded
		row = append(row, side.End, side.Harm, side.Action, number64(side.Sends), number64(side.Queries), number64(side.Millis))
		side = f.Simulated
		row = append(row, side.End, side.Harm, side.Action, number64(side.Sends), number64(side.Queries), number64(side.Millis), f.Departure)
		if f.Against != nil {
			side = *f.Against
			row = append(row, side.End, side.Harm, side.Action, number64(side.Sends), number64(side.Queries), number64(side.Millis))
		}
		if r.Against != nil {
			for len(row) < len(head)-1 {
				row = append(row, "")
			}
			row = append(row, f.Change)
		}
		for k := range row {
			row[k] = harmless(row[k])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func number64(n int64) string { return strconv.FormatInt(n, 10) }

// harmless keeps a spreadsheet from taking a text of a recording for a formula.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && cell[0] == '-' {
		return cell // a negative amount
	}
	return "'" + cell
}

// writeBreakdowns prints the numbers by each dimension that was asked for.
func writeBreakdowns(w io.Writer, r *simulate.Report) {
	if r.Details == nil {
		return
	}
	for i := range r.Details.By {
		b := &r.Details.By[i]
		fmt.Fprintf(w, "\nby %s\n", b.Dimension)
		tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
		fmt.Fprintln(tw, "\tflows\tharmed as recorded\twith these rules\tescalated as recorded\twith these rules\toff the record\tat risk as recorded\twith these rules\t")
		for k := range b.Values {
			v := &b.Values[k]
			name := plain(v.Value)
			if name == "" {
				name = "(none)"
			}
			var before, after []string
			for c := range v.Money {
				if m := &v.Money[c]; m.Recorded > 0 || m.Simulated > 0 {
					before = append(before, formatMinor(m.Recorded, m.Currency)+" "+m.Currency)
					after = append(after, formatMinor(m.Simulated, m.Currency)+" "+m.Currency)
				}
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, count(int(v.Recorded["flows"])), count(int(sumOf(v.Recorded))), count(int(sumOf(v.Simulated))),
				count(int(v.Recorded["escalated"])), count(int(v.Simulated["escalated"])), count(int(v.Simulated["off_record"])), strings.Join(before, ", "), strings.Join(after, ", "))
		}
		_ = tw.Flush()
	}
}
