package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/policy"
)

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say what would be done about one answer, and why",
		Long: `Shows what an answer proves, every rule that was looked at with the parts of its
condition that held, and what the interlock left of the decision.

Exit codes: 0 explained, 2 could not run.`,
		Example: `  recourse explain --provider momo --operation pay --code 41 --in-doubt
  recourse explain --provider shopline --operation refund --phase webhook --verified --status FAILED --code 4701
  recourse explain --provider momo --merchant evergreen-box --operation pay --code 1001`,
		Args: cobra.NoArgs,
	}
	dir := rulesFlag(cmd)
	var q advice.Question
	var operation, phase, fault, capture, at, body string
	var elapsed, retryAfter time.Duration
	f := cmd.Flags()
	f.StringVar(&q.Provider, "provider", "", "provider (required)")
	f.StringVar(&operation, "operation", "", "operation (required): "+strings.Join(names(policy.Operations()), ", "))
	f.StringVar(&q.Merchant, "merchant", "", "merchant, for its layer of rules")
	f.StringVar(&phase, "phase", "send", "send, query or webhook")
	f.StringVar((*string)(&q.Code), "code", "", "the answer's code")
	f.StringVar((*string)(&q.SubCode), "sub-code", "", "its sub-code")
	f.StringVar((*string)(&q.Status), "status", "", "its status")
	f.StringVar((*string)(&q.SubStatus), "sub-status", "", "its sub-status")
	f.StringVar(&q.Message, "message", "", "its message")
	f.StringVar(&body, "body", "", "the raw response, in place of the decoded fields")
	f.IntVar(&q.HTTPStatus, "http-status", 0, "HTTP status")
	f.StringVar(&fault, "fault", "", "not_sent, timeout, reset or unreadable")
	f.IntVar(&q.Attempt, "attempt", 1, "sends so far")
	f.IntVar(&q.Queries, "queries", 0, "status queries so far")
	f.StringToIntVar(&q.Fired, "fired", nil, "how often rules were followed, as id=n")
	f.DurationVar(&elapsed, "elapsed", 0, "time since the first send")
	f.DurationVar(&retryAfter, "retry-after", 0, "what the provider asked for")
	f.StringVar(&at, "at", "", "time of the decision, RFC 3339 (default now)")
	f.Int64Var(&q.Amount, "amount", 0, "amount in minor units")
	f.StringVar(&q.Currency, "currency", "", "ISO 4217 currency")
	f.StringVar(&capture, "capture", "auto", "auto or manual")
	f.StringToStringVar(&q.Tags, "tag", nil, "tags, as key=value")
	f.BoolVar(&q.InDoubt, "in-doubt", false, "an earlier identity may still execute")
	f.BoolVar(&q.Replay, "replay", false, "this identity was sent before")
	f.BoolVar(&q.Verified, "verified", false, "the webhook's signature was checked")
	asJSON := jsonFlag(cmd)
	_ = cmd.MarkFlagRequired("provider")
	_ = cmd.MarkFlagRequired("operation")
	completeProviders(cmd)
	complete := func(flag string, words []string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("operation", names(policy.Operations()))
	complete("phase", names(policy.Phases()))
	complete("fault", names(policy.Faults()))
	complete("capture", names(policy.CaptureModes()))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		q.Operation = new(policy.Operation)
		q.ElapsedMS, q.RetryAfterMS = elapsed.Milliseconds(), retryAfter.Milliseconds()
		if cmd.Flags().Changed("body") {
			if q.Body, err = json.Marshal(body); err != nil {
				return err
			}
		}
		for _, w := range []struct {
			text string
			into interface{ UnmarshalText([]byte) error }
		}{{operation, q.Operation}, {phase, &q.Phase}, {fault, &q.Fault}, {capture, &q.Capture}} {
			if err := w.into.UnmarshalText([]byte(w.text)); err != nil {
				return err
			}
		}
		if at != "" {
			if q.At, err = time.Parse(time.RFC3339, at); err != nil {
				return fmt.Errorf("--at: %w", err)
			}
		}
		if err := e.Check(&policy.Payment{Provider: q.Provider, Operation: *q.Operation}); err != nil {
			return err
		}
		adv, err := q.Ask(e)
		if err != nil {
			return err
		}
		trace := e.Explain(&adv.Situation)
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), advice.Explain(adv, &trace))
		}
		advice.Write(cmd.OutOrStdout(), e, adv, &trace)
		return nil
	}
	return cmd
}

func names[T interface{ String() string }](all []T) []string {
	n := make([]string, len(all))
	for i, v := range all {
		n[i] = v.String()
	}
	return n
}
