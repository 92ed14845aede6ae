package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

const simulateHelp = `Reads recordings (JSON Lines, plain or gzipped: files, folders, or - for standard input)
and shows what the rules would have done beside what the recorded client did. A recorded
answer is used only where it would have been given; where a flow leaves the recording it
is off the record, which is counted and never guessed.

--against DIR simulates the rules of another folder too ("embedded" for those that ship with the
program) and shows which flows end differently from there to --rules, by what that means for money,
with both stories of an example; --regions says which of the changes that diff finds they met. --fail-on ends with exit code 1 where a flow moves in a direction.

--outage momo:pay:10m lays an outage of a provider's operation over the recording: the flows around it are played at an
emulated provider that is silent (or as :refused, :503) for so long, where the recording is busiest or from @TIME on, with the
retry budgets and breakers of the executor. What is not known, whether silent calls arrived, is bounded from both sides.

Exit code 1: with these rules a payment would have executed twice, been marked failed
though it executed, or succeeded though it did not.`

func simulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate RECORDING...",
		Short: "Drive recorded traffic through the rules, beside what was recorded",
		Long:  simulateHelp,
		Example: `  recourse simulate testdata/recordings
  recourse simulate --rules ./rules --json june.jsonl.gz july.jsonl.gz
  recourse simulate testdata/recordings --flow f-0000042
  recourse simulate --rules ./rules.new --against ./rules --fail-on newly_risky,lost june.jsonl.gz
  recourse simulate --rules ./rules --html june.html june.jsonl.gz
  recourse simulate --by provider,week june.jsonl.gz
  recourse simulate --outage momo:pay:10m --outage momo:pay:2m:refused@2026-06-01T12:00:00Z june.jsonl.gz
  recourse simulate --list simulated.escalated june.jsonl.gz > people.csv`,
		Args: cobra.MinimumNArgs(1),
	}
	dir := rulesFlag(cmd)
	window := cmd.Flags().Duration("window", 48*time.Hour, "how far apart in recording time a flow's lines may lie")
	strict := cmd.Flags().Bool("strict", false, "stop at the first line that cannot be read")
	asJSON := jsonFlag(cmd)
	flow := cmd.Flags().String("flow", "", "show this flow's story, step by step")
	merchant := cmd.Flags().String("merchant", "", "with --flow: of this merchant")
	against := cmd.Flags().String("against", "", "compare with the rules of this folder, or with \"embedded\"")
	more := moreOf(cmd)
	failOn := cmd.Flags().StringSlice("fail-on", nil, "with --against: exit code 1 where a flow moves so (newly_risky, lost, …)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := allowed(*window, *flow, *merchant); err != nil {
			return err
		}
		if err := failOnChecked(cmd, *failOn, *flow); err != nil {
			return err
		}
		e, err := open(cmd, *dir)
		if err == nil {
			err = otherKind(args, true)
		}
		if err != nil {
			return err
		}
		other, err := comparedRules(cmd, *against)
		if err != nil {
			return err
		}
		collect := newCollector()
		defer collect.end()
		bar := newProgress(cmd.ErrOrStderr())
		options := simulate.Options{
			Decider: e, Catalogs: e.Catalogs, Window: *window, Strict: *strict, Stdin: cmd.InOrStdin(), Flow: *flow, Merchant: *merchant,
			Against: other, FailOn: *failOn,
			Progress: func(read, size int64) { collect.adjust(); bar.show(read, size) },
			Warn:     func(err error) { bar.clear(); fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", err) },
			Broken: func(l *simulate.LineError) {
				bar.clear()
				fmt.Fprintln(cmd.ErrOrStderr(), plain(redact.Cards(l.Error())))
			},
		}
		if err := more.set(cmd, &options); err != nil {
			return err
		}
		report, err := simulate.Run(cmd.Context(), options, args...)
		bar.clear()
		if err == nil {
			err = readNothing(report.Lines, report.BrokenLines, report.Recorded.Flows)
		}
		if err != nil {
			return errors.Join(err, otherKind(args, false))
		}
		shown, _ := report.Behind()
		redact.NewHider().Report(report, report.Stories(), report.Listed(), shown)
		all, err := more.finish(cmd, &pageInput{&withRegions{Report: report}, *dir, *against, args}, other, e)
		if err != nil {
			return err
		}
		return printReport(cmd.OutOrStdout(), all, *flow, options.List != "", *asJSON)
	}
	return cmd
}

// allowed refuses flags that do not go together.
func allowed(window time.Duration, flow, merchant string) error {
	switch {
	case window <= 0:
		return errors.New("--window must be longer than nothing")
	case merchant != "" && flow == "":
		return errors.New("--merchant goes with --flow")
	}
	return nil
}

// comparedRules opens the rules of --against; nil without it.
func comparedRules(cmd *cobra.Command, against string) (policy.Decider, error) {
	if cmd.Flags().Changed("against") {
		return openNamed(against)
	}
	return nil, nil
}

// printList prints the flows behind a number. A list is no verdict: the exit code is 0.
func printList(w io.Writer, report *simulate.Report, asJSON bool) error {
	if asJSON {
		return printJSON(w, report.Listed())
	}
	return writeList(w, report)
}

func printReport(w io.Writer, all *withRegions, flow string, list, asJSON bool) error {
	report := all.Report
	if list {
		return printList(w, report, asJSON)
	}
	var what any = report
	if all.Regions != nil {
		what = all
	}
	if flow != "" {
		stories := report.Stories()
		if len(stories) == 0 {
			return fmt.Errorf("no flow %q is in these recordings", flow)
		}
		what = stories
	}
	switch {
	case asJSON:
		if err := printJSON(w, what); err != nil {
			return err
		}
	case flow != "":
		for _, s := range report.Stories() {
			writeStory(w, s)
		}
	default:
		writeReport(w, report)
		writeRegions(w, all.Regions)
		writeOutages(w, report)
	}
	if flow == "" && (!report.Holds() || len(report.Failed()) > 0) {
		return errDoesNotHold
	}
	return nil
}
