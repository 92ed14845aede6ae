package executor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// lines logs into a buffer, without the time that slog adds.
func lines(level slog.Level) (*bytes.Buffer, executor.Observer) {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return &b, executor.Log(slog.New(h))
}

// reportAll reports one event of each kind to an observer.
func reportAll(o executor.Observer) {
	ctx := context.Background()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77",
		Amount: 120000, Currency: "VND", Tags: map[string]string{"password": "s3cret-tag"},
	}
	send := &executor.CallEvent{Flow: "f-1", Payment: p, Phase: policy.Send, Start: at, Attempt: &executor.Attempt{
		Flow: "f-1", Payment: p, Data: []byte("s3cret-data"), OrderID: "o-1", RequestID: "r-1", Number: 1,
	}}
	sent := o.Calling(ctx, send)
	send.End, send.Err = at.Add(30*time.Second), fmt.Errorf("pay: %w", &url.Error{Op: "Post", URL: "https://pay.example/?key=s3cret-url", Err: context.DeadlineExceeded})
	send.Answer = policy.Answer{Fault: policy.Timeout}
	o.Called(sent, send)
	o.Decided(ctx, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{
		At: send.End, Answer: &send.Answer, Fact: policy.Fact{Class: policy.NetworkError}, InDoubt: true,
		Decision: policy.Decision{Action: policy.QueryStatus, Rule: "ask-after-silence", Source: "rules/defaults.toml:7"},
		Verdict:  flow.Verdict{Action: policy.QueryStatus, Via: flow.ByQuery, Schedule: "query", Delay: 2 * time.Second},
	}})
	o.Waiting(ctx, &executor.WaitEvent{Flow: "f-1", Payment: p, At: send.End, Wait: flow.Wait{Until: send.End.Add(2 * time.Second), Action: policy.QueryStatus, Via: flow.ByQuery}, Held: "breaker"})
	query := &executor.CallEvent{Flow: "f-1", Payment: p, Phase: policy.Query, Start: at, Attempt: &executor.Attempt{
		OrderID: "o-1", RequestID: "r-1", By: policy.OrderID, QueryID: "q-1", Number: 1,
	}}
	asked := o.Calling(ctx, query)
	query.End, query.Reply.Body = at.Add(time.Second), []byte("s3cret-body")
	query.Answer = policy.Answer{Phase: policy.Query, HTTPStatus: 200, Code: "1000", Message: "s3cret-message", RetryAfter: time.Second}
	o.Called(asked, query)
	o.WebhookReceived(ctx, &executor.WebhookEvent{Flow: "f-1", Payment: p, At: at, Body: []byte("s3cret-body"), Answer: policy.Answer{Phase: policy.Webhook, Code: "0", OrderID: "o-1", Verified: true}})
	corrected := flow.Decided{
		Phase: policy.Query, Answer: &query.Answer, Decision: policy.Decision{Action: policy.MarkFailed, Rule: "hasty"},
		Verdict: flow.Verdict{Action: policy.Escalate, Property: flow.S2},
	}
	o.Decided(ctx, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &corrected})
	o.Decided(ctx, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{Due: true, Answer: &policy.Answer{}, Verdict: flow.Verdict{Limit: "max_queries"}}})
	state := &flow.State{Class: policy.NetworkError, Attempts: 1, Queries: 1, Started: at, Outcome: policy.Escalated}
	o.Ended(ctx, &executor.EndEvent{Flow: "f-1", Payment: p, At: at.Add(time.Minute), Outcome: policy.Escalated, Reason: "nothing is known", State: state})
	state.Outcome = policy.Succeeded
	o.Ended(ctx, &executor.EndEvent{Flow: "f-1", Payment: p, At: at.Add(time.Hour), Outcome: policy.Succeeded, Reason: "the provider proved it", State: state})
	o.Alerted(ctx, &executor.AlertEvent{Flow: "f-1", Payment: p, At: at, State: state, Alert: flow.Alert{Reason: "executed twice", Evidence: flow.Evidence{
		Answer: &policy.Answer{Phase: policy.Webhook, OrderID: "o-2", Code: "0"}, Fact: policy.Fact{Effect: policy.Executed},
	}}})
}

const wantLog = `
level=DEBUG msg=calling FLOW phase=send order_id=o-1 request_id=r-1 attempt=1
level=DEBUG msg=called FLOW phase=send order_id=o-1 request_id=r-1 attempt=1 latency=30s fault=timeout error="context deadline exceeded"
level=DEBUG msg=decided FLOW phase=send fault=timeout effect=unknown class=network_error in_doubt=true rule=ask-after-silence source=rules/defaults.toml:7 action=query_status via=query schedule=query delay=2s
level=DEBUG msg=waiting FLOW action=query_status via=query until=2026-01-02T03:04:37.000Z delay=2s held=breaker
level=DEBUG msg=calling FLOW phase=query order_id=o-1 request_id=r-1 query=1 query_by=order_id query_id=q-1
level=DEBUG msg=called FLOW phase=query order_id=o-1 request_id=r-1 query=1 query_by=order_id query_id=q-1 latency=1s http_status=200 code=1000 retry_after=1s
level=DEBUG msg=webhook FLOW verified=true order_id=o-1 code=0
level=WARN msg="interlock corrected the rules" FLOW phase=query http_status=200 code=1000 retry_after=1s effect=unknown class=unrecognized in_doubt=false rule=hasty wanted=mark_failed action=escalate property=S2
level=WARN msg="limit reached" FLOW phase=send due=true effect=unknown class=unrecognized in_doubt=false action=escalate limit=max_queries
level=WARN msg=escalated FLOW outcome=escalated reason="nothing is known" class=network_error attempts=1 queries=1 elapsed=1m0s
level=INFO msg=ended FLOW outcome=succeeded reason="the provider proved it" class=network_error attempts=1 queries=1 elapsed=1h0m0s
level=ERROR msg="contradicted after the end" FLOW reason="executed twice" outcome=succeeded phase=webhook order_id=o-2 code=0 effect=executed
`

func TestLog(t *testing.T) {
	b, o := lines(slog.LevelDebug)
	reportAll(o)
	want := strings.ReplaceAll(strings.TrimPrefix(wantLog, "\n"), "FLOW", "flow=f-1 provider=momo merchant=acme operation=pay payment_key=cart-77")
	if got := b.String(); got != want {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range max(len(gotLines), len(wantLines)) {
			if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
				t.Fatalf("line %d of\n%s\nis not as in\n%s", i+1, got, want)
			}
		}
	}
	if strings.Contains(b.String(), "s3cret") {
		t.Error("a secret is logged")
	}
}

func TestLogLevels(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelInfo: 5, slog.LevelWarn: 4, slog.LevelError: 1, slog.LevelError + 1: 0} {
		b, o := lines(level)
		reportAll(o)
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("%d lines at %v, want %d:\n%s", got, level, want, b)
		}
	}
}

// An error without a URL is logged as it is, and events without the optional parts are too.
func TestLogSparse(t *testing.T) {
	b, o := lines(slog.LevelDebug)
	ctx := context.Background()
	o.Called(ctx, &executor.CallEvent{Flow: "f-2", Err: errors.New("who knows")})
	o.Ended(ctx, &executor.EndEvent{Flow: "f-2", Outcome: policy.Failed})
	o.Alerted(ctx, &executor.AlertEvent{Flow: "f-2"})
	want := `level=DEBUG msg=called flow=f-2 phase=send error="who knows"
level=INFO msg=ended flow=f-2 outcome=failed
level=ERROR msg="contradicted after the end" flow=f-2 effect=unknown
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b, want)
	}
}
