package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

// A rule set is simulated on what another one recorded, and then run for real with the same seed: the
// emulated provider decides the same about every payment. What it comes to lies within the bounds,
// in flows and in money, in every run.
func TestTheTruthLiesWithinTheBounds(t *testing.T) {
	var width, flows, off int64
	runs := testkit.Size(6, 40, 1000)
	for n := range uint64(runs) {
		seed := n
		if n == 0 {
			seed = 50259 // an escalated flow gets no webhook where the recorded client, which had asked, got one
		}
		r := draw.From(seed)
		a, b := drawnRules(t, r), drawnRules(t, r)
		const payments = 24
		var recording bytes.Buffer
		truth := outcomes{}
		for i := range payments {
			record := clientOf(t, a, seed, i)
			for _, e := range record.entries {
				recording.Write(e.Append(nil))
			}
			truth.add(clientOf(t, b, seed, i))
		}
		report, err := simulate.Run(context.Background(), simulate.Options{
			Decider: b, Catalogs: b.Catalogs, Stdin: &recording, Strict: true,
		}, "-")
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("seed %d", seed)
		truth.within(t, what, report)
		for i := range report.Money {
			truth.moneyWithin(t, what, &report.Money[i])
		}
		width += report.Bounds.Succeeded.Most - report.Bounds.Succeeded.Least
		flows += payments
		off += int64(report.Simulated.OffRecord)
	}
	t.Logf("%d runs, %d payments: %.0f %% off the record; the bounds of succeeded are %.0f %% of the payments apart",
		runs, flows, 100*float64(off)/float64(flows), 100*float64(width)/float64(flows))
}

// drawnRules are the defaults, or rules that act as no careful person would want, before them.
func drawnRules(t *testing.T, r draw.Rand) *ruleset.Engine {
	t.Helper()
	dir := t.TempDir()
	if r.IntN(4) > 0 {
		text := ""
		for i := range 1 + r.IntN(3) {
			text += fmt.Sprintf("[[rule]]\nid = \"drawn-%d\"\nwhen = '''%s'''\nthen = %q\nreason = \"drawn\"\n\n", i, draw.Condition(r, 2),
				draw.One(r, "query_status", "retry_same_request", "retry_new_request", "retry_new_order", "mark_failed", "mark_succeeded", "escalate"))
		}
		for _, merchant := range []string{"lotus-mart", "midnight-drop", "evergreen-box", "swift-payouts", "harbour-wages", "teahouse", "old-town-books"} {
			file := filepath.Join(dir, "merchants", merchant+".toml")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, err := ruleset.Open(dir)
	if err != nil {
		return drawnRules(t, r) // the draw makes conditions that the rules refuse
	}
	return e
}

// clientOf makes a payment. Its amount, its provider and the provider's randomness follow from the seed and
// the number, whatever the rules.
func clientOf(t *testing.T, e *ruleset.Engine, seed uint64, i int) *client {
	t.Helper()
	g, err := newGenerator(e, seed, 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	s := pickSegment(r)
	p := policy.Payment{
		Provider: s.provider, Merchant: s.merchants[r.IntN(len(s.merchants))], Operation: s.operation, Key: fmt.Sprintf("key-%d", i),
		Amount: 100 * (1 + r.Int64N(1000)), Currency: s.currencies[r.IntN(len(s.currencies))],
	}
	if p.Operation == policy.Bind || p.Operation == policy.Unbind || p.Operation == policy.Onboard {
		p.Amount = 0
	}
	c := g.client(r, p, fmt.Sprintf("f-%d", i), epoch.Add(time.Duration(i)*time.Minute))
	c.reads = true
	c.careful()
	// The recorded clients go home at their end. In production a flow still takes webhooks, and one
	// that a person has to decide is settled by them.
	over := c.start.Add(46 * time.Hour)
	for h, ok := c.at.NextWebhook(over); ok; h, ok = c.at.NextWebhook(over) {
		c.receive(&h)
		h.Answer.OrderID, h.Answer.RequestID = h.OrderID, h.RequestID
		state, _, err := flow.Step(e, c.state, flow.Received{Moment: flow.Moment{At: h.At, Jitter: 0.5}, Answer: c.decoded(&h.Answer, h.Body)})
		if err != nil {
			t.Fatal(err)
		}
		c.state = state
	}
	c.outcome = c.state.Outcome
	c.afterEnd()
	return c
}

// outcomes is what a rule set came to, by currency; "" is all, in flows.
type outcomes map[string]*outcome

type outcome struct {
	ends                   [policy.Escalated + 1]int64
	twice, failed, notReal int64
}

func (o outcomes) add(c *client) {
	executions := 0
	for _, e := range c.entries {
		executions += len(e.Executions)
	}
	for key, weight := range map[string]int64{"": 1, c.p.Currency: c.p.Amount} {
		if o[key] == nil {
			o[key] = &outcome{}
		}
		o[key].ends[c.outcome] += weight
		switch {
		case executions > 1:
			o[key].twice += weight
		case executions > 0 && c.outcome == policy.Failed:
			o[key].failed += weight
		case executions == 0 && c.outcome == policy.Succeeded:
			o[key].notReal += weight
		}
	}
}

func (o outcomes) within(t *testing.T, what string, r *simulate.Report) {
	t.Helper()
	b, truth := &r.Bounds, o[""]
	check(t, what+": succeeded", truth.ends[policy.Succeeded], b.Succeeded.Least, b.Succeeded.Most)
	check(t, what+": failed", truth.ends[policy.Failed], b.Failed.Least, b.Failed.Most)
	check(t, what+": escalated", truth.ends[policy.Escalated], b.Escalated.Least, b.Escalated.Most)
	check(t, what+": open", truth.ends[policy.Open], b.Open.Least, b.Open.Most)
	check(t, what+": executed twice", truth.twice, b.ExecutedTwice.Least, b.ExecutedTwice.Most)
	check(t, what+": failed though executed", truth.failed, b.FailedThoughExecuted.Least, b.FailedThoughExecuted.Most)
	check(t, what+": succeeded though not executed", truth.notReal, b.SucceededThoughNotExecuted.Least, b.SucceededThoughNotExecuted.Most)
}

func (o outcomes) moneyWithin(t *testing.T, what string, m *simulate.Money) {
	t.Helper()
	b, truth := &m.Bounds, o[m.Currency]
	what += ", " + m.Currency
	check(t, what+" succeeded", truth.ends[policy.Succeeded], b.Succeeded.Least, b.Succeeded.Most)
	check(t, what+" failed", truth.ends[policy.Failed], b.Failed.Least, b.Failed.Most)
	check(t, what+" escalated", truth.ends[policy.Escalated], b.Escalated.Least, b.Escalated.Most)
	check(t, what+" open", truth.ends[policy.Open], b.Open.Least, b.Open.Most)
}

func check(t *testing.T, what string, n, least, most int64) {
	t.Helper()
	if n < least || n > most {
		t.Errorf("%s: %d is not from %d to %d", what, n, least, most)
	}
}
