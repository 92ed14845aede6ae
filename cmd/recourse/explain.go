package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/source"
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
	var q questionFlags
	q.add(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		collectSeldom()
		e, err := openBy(cmd, openLate, *dir)
		if err != nil {
			return err
		}
		question, err := q.question(cmd)
		if err != nil {
			return err
		}
		if err := e.Check(&policy.Payment{Provider: question.Provider, Operation: *question.Operation}); err != nil {
			return err
		}
		if m := question.Merchant; m != "" && e.Rules.Merchants[m] == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "recourse: merchant %q has no file, so it has the rules of all others without one%s\n", m, source.Suggest(m, e.Rules.MerchantNames()))
		}
		adv, err := advice.Ask(e, question)
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

// questionFlags are the flags of a question. Those that need parsing are kept as text.
type questionFlags struct {
	asked                            advice.Question
	operation, phase, fault, capture string
	at, body                         string
	elapsed, retryAfter              time.Duration
}

func (q *questionFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.asked.Provider, "provider", "", "provider (required)")
	f.StringVar(&q.operation, "operation", "", "operation (required): "+strings.Join(names(policy.Operations()), ", "))
	f.StringVar(&q.asked.Merchant, "merchant", "", "merchant, for its layer of rules")
	f.StringVar(&q.phase, "phase", "send", "send, query or webhook")
	f.StringVar((*string)(&q.asked.Code), "code", "", "the answer's code")
	f.StringVar((*string)(&q.asked.SubCode), "sub-code", "", "its sub-code")
	f.StringVar((*string)(&q.asked.Status), "status", "", "its status")
	f.StringVar((*string)(&q.asked.SubStatus), "sub-status", "", "its sub-status")
	f.StringVar(&q.asked.Message, "message", "", "its message")
	f.StringVar(&q.body, "body", "", "the raw response, in place of the decoded fields")
	f.IntVar(&q.asked.HTTPStatus, "http-status", 0, "HTTP status")
	f.StringVar(&q.fault, "fault", "", "not_sent, timeout, reset or unreadable")
	f.IntVar(&q.asked.Attempt, "attempt", 1, "sends so far")
	f.IntVar(&q.asked.Queries, "queries", 0, "status queries so far")
	f.StringToIntVar(&q.asked.Fired, "fired", nil, "how often rules were followed, as id=n")
	f.DurationVar(&q.elapsed, "elapsed", 0, "time since the first send")
	f.DurationVar(&q.retryAfter, "retry-after", 0, "what the provider asked for")
	f.StringVar(&q.at, "at", "", "time of the decision, RFC 3339 (default now)")
	f.Int64Var(&q.asked.Amount, "amount", 0, "amount in minor units")
	f.StringVar(&q.asked.Currency, "currency", "", "ISO 4217 currency")
	f.StringVar(&q.capture, "capture", "auto", "auto or manual")
	f.StringToStringVar(&q.asked.Tags, "tag", nil, "tags, as key=value")
	f.BoolVar(&q.asked.InDoubt, "in-doubt", false, "an earlier identity may still execute")
	f.BoolVar(&q.asked.Replay, "replay", false, "this identity was sent before")
	f.BoolVar(&q.asked.Verified, "verified", false, "the webhook's signature was checked")
	_ = cmd.MarkFlagRequired("provider")
	_ = cmd.MarkFlagRequired("operation")
	completeProviders(cmd)
	for flag, words := range map[string][]string{
		"operation": names(policy.Operations()), "phase": names(policy.Phases()),
		"fault": names(policy.All[policy.Fault]()), "capture": names(policy.All[policy.CaptureMode]()),
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

// question parses the text flags and returns the whole question.
func (q *questionFlags) question(cmd *cobra.Command) (*advice.Question, error) {
	asked := q.asked
	asked.Operation = new(policy.Operation)
	asked.ElapsedMS, asked.RetryAfterMS = q.elapsed.Milliseconds(), q.retryAfter.Milliseconds()
	var err error
	if cmd.Flags().Changed("body") {
		if asked.Body, err = json.Marshal(q.body); err != nil {
			return nil, err
		}
	}
	for _, w := range []struct {
		text string
		into interface{ UnmarshalText([]byte) error }
	}{{q.operation, asked.Operation}, {q.phase, &asked.Phase}, {q.fault, &asked.Fault}, {q.capture, &asked.Capture}} {
		if err := w.into.UnmarshalText([]byte(w.text)); err != nil {
			return nil, err
		}
	}
	if q.at != "" {
		if asked.At, err = time.Parse(time.RFC3339, q.at); err != nil {
			return nil, fmt.Errorf("--at: %w", err)
		}
	}
	return &asked, nil
}

func names[T interface{ String() string }](all []T) []string {
	n := make([]string, len(all))
	for i, v := range all {
		n[i] = v.String()
	}
	return n
}
