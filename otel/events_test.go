package otelrecourse_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// reportAll reports an event of each kind to an observer.
func reportAll(ctx context.Context, o executor.Observer) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77",
		Amount: 120000, Currency: "VND", Tags: map[string]string{"password": "s3cret-tag"},
	}
	send := &executor.CallEvent{Flow: "f-1", Payment: p, Phase: policy.Send, Start: at, Attempt: &executor.Attempt{
		Flow: "f-1", Payment: p, Data: []byte("s3cret-data"), OrderID: "o-1", RequestID: "r-1", Number: 2, Action: policy.RetrySame,
	}}
	sent := o.Calling(ctx, send)
	send.End, send.Err = at.Add(30*time.Second), fmt.Errorf("pay: %w", &url.Error{Op: "Post", URL: "https://pay.example/?key=s3cret-url", Err: context.DeadlineExceeded})
	send.Answer = policy.Answer{Fault: policy.Timeout}
	o.Called(sent, send)
	background := context.Background()
	o.Decided(background, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{
		At: send.End, Answer: &send.Answer, Fact: policy.Fact{Class: policy.NetworkError}, InDoubt: true,
		Decision: policy.Decision{Action: policy.QueryStatus, Rule: "ask-after-silence", Source: "rules/defaults.toml:7"},
		Verdict:  flow.Verdict{Action: policy.QueryStatus, Via: flow.ByQuery, Schedule: "poll", Delay: 2 * time.Second},
	}})
	wait := flow.Wait{Until: send.End.Add(2 * time.Second), Action: policy.QueryStatus, Via: flow.ByQuery}
	o.Waiting(background, &executor.WaitEvent{Flow: "f-1", Payment: p, At: send.End, Wait: wait})
	o.Waiting(background, &executor.WaitEvent{Flow: "f-1", Payment: p, At: wait.Until, Wait: wait, Held: "breaker"})
	query := &executor.CallEvent{Flow: "f-1", Payment: p, Phase: policy.Query, Start: at.Add(32 * time.Second), Attempt: &executor.Attempt{
		OrderID: "o-1", RequestID: "r-1", By: policy.OrderID, QueryID: "q-1", Number: 1,
	}}
	asked := o.Calling(background, query)
	query.End, query.Reply.Body = query.Start.Add(250*time.Millisecond), []byte("s3cret-body")
	query.Answer = policy.Answer{Phase: policy.Query, HTTPStatus: 200, Code: "1000", Status: "WAIT", Message: "s3cret-message", ProviderID: "t-9", RetryAfter: time.Second}
	o.Called(asked, query)
	o.Decided(background, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{
		At: query.End, Phase: policy.Query, Answer: &query.Answer, Decision: policy.Decision{Action: policy.MarkFailed, Rule: "hasty"},
		Verdict: flow.Verdict{Action: policy.Escalate, Property: flow.S2},
	}})
	o.Decided(background, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{
		At: query.End, Due: true, Answer: &policy.Answer{}, Verdict: flow.Verdict{Limit: "max_queries"},
	}})
	state := &flow.State{Class: policy.NetworkError, Attempts: 2, Queries: 1, Started: at, Outcome: policy.Escalated}
	o.Ended(background, &executor.EndEvent{Flow: "f-1", Payment: p, At: at.Add(time.Minute), Outcome: policy.Escalated, Reason: "nothing is known", State: state})
	o.WebhookReceived(ctx, &executor.WebhookEvent{Flow: "f-1", Payment: p, At: at.Add(time.Hour), Body: []byte("s3cret-body"), Answer: policy.Answer{Phase: policy.Webhook, Code: "0", OrderID: "o-1", Verified: true}})
	state.Outcome = policy.Succeeded
	o.Ended(background, &executor.EndEvent{Flow: "f-1", Payment: p, At: at.Add(time.Hour), Outcome: policy.Succeeded, Reason: "the provider proved it", State: state})
	o.WebhookReceived(background, &executor.WebhookEvent{Flow: "f-1", Payment: p, At: at.Add(2 * time.Hour), Body: []byte("s3cret-body"), Answer: policy.Answer{Phase: policy.Webhook, Fault: policy.Unreadable}})
	o.Alerted(background, &executor.AlertEvent{Flow: "f-1", Payment: p, At: at.Add(2 * time.Hour), State: state, Alert: flow.Alert{Reason: "executed twice", Evidence: flow.Evidence{
		Answer: &policy.Answer{Phase: policy.Webhook, OrderID: "o-2", Code: "0"}, Fact: policy.Fact{Effect: policy.Executed},
	}}})
}

func TestEveryEvent(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{})
	reportAll(context.Background(), l.observer)
	tree, metrics := l.tree(t), l.metrics(t)
	if strings.Contains(tree, "s3cret") {
		t.Errorf("a secret is on a span:\n%s", tree)
	}
	for _, private := range []string{"s3cret", "o-1", "r-1", "cart-77", "f-1", "120000", "acme", "1000"} {
		if strings.Contains(metrics, private) {
			t.Errorf("%s is on a metric:\n%s", private, metrics)
		}
	}
	wantGolden(t, "everything-spans", tree)
	wantGolden(t, "everything-metrics", metrics)
}

func TestInstruments(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{})
	reportAll(context.Background(), l.observer)
	var b strings.Builder
	for _, m := range l.collect(t) {
		fmt.Fprintf(&b, "%s %s\n    %s\n", m.Name, m.Unit, m.Description)
		switch d := m.Data.(type) {
		case metricdata.Histogram[float64]:
			fmt.Fprintln(&b, "   ", d.DataPoints[0].Bounds)
		case metricdata.Histogram[int64]:
			fmt.Fprintln(&b, "   ", d.DataPoints[0].Bounds)
		}
	}
	wantGolden(t, "instruments", b.String())
}

func TestMerchantsAndCodes(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{Merchants: true, KnownCode: func(provider, code string) bool {
		c, err := rules().Catalogs.Get(provider)
		return err == nil && c.HasCode(code)
	}})
	p := &policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay}
	for _, code := range []string{"1001", "order o-1 is odd", ""} {
		l.observer.Decided(context.Background(), &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{Answer: &policy.Answer{Code: code}}})
	}
	wantGolden(t, "merchants-and-codes", l.metrics(t))
}

// Events without their optional parts make spans and metrics, too.
func TestEventsWithoutOptionalParts(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{KnownCode: func(string, string) bool { return true }})
	ctx, o := context.Background(), l.observer
	o.Called(ctx, &executor.CallEvent{Flow: "f-2", Err: errors.New("unknown")}) // without Calling before
	o.Called(o.Calling(ctx, &executor.CallEvent{Flow: "f-2"}), &executor.CallEvent{Flow: "f-2", Answer: policy.Answer{Fault: policy.Reset}})
	o.WebhookReceived(ctx, &executor.WebhookEvent{})
	o.Decided(ctx, &executor.DecisionEvent{Decided: &flow.Decided{}})
	o.Waiting(ctx, &executor.WaitEvent{Held: "budget"})
	o.Ended(ctx, &executor.EndEvent{Flow: "f-2", Outcome: policy.Failed})
	o.Alerted(ctx, &executor.AlertEvent{})
	if got := len(l.exporter.GetSpans()); got != 5 {
		t.Errorf("%d spans, want 5:\n%s", got, l.tree(t))
	}
	wantGolden(t, "sparse-metrics", l.metrics(t))
}

// A webhook during a call has its own decision, and so has the call.
func TestWebhookDuringACall(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{})
	ctx, o := context.Background(), l.observer
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &policy.Payment{Provider: "momo", Operation: policy.Pay}
	c := &executor.CallEvent{Flow: "f-1", Payment: p, Start: at, End: at.Add(time.Minute)}
	decided := func(phase policy.Phase) {
		o.Decided(ctx, &executor.DecisionEvent{Flow: "f-1", Payment: p, Decided: &flow.Decided{At: at.Add(time.Minute), Phase: phase, Answer: &policy.Answer{}}})
	}
	calling := o.Calling(ctx, c)
	o.WebhookReceived(ctx, &executor.WebhookEvent{Flow: "f-1", Payment: p, At: at.Add(time.Second)})
	decided(policy.Webhook)
	o.Called(calling, c)
	decided(policy.Send)
	wantGolden(t, "webhook-during-a-call-spans", l.tree(t))
}

// A clock that is set back gives a duration of zero, not a negative one.
func TestClockSetBack(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{})
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.observer.Called(context.Background(), &executor.CallEvent{Start: at, End: at.Add(-time.Hour)})
	if got := l.metrics(t); !strings.HasSuffix(got, "count 1, sum 0\n") {
		t.Error(got)
	}
}

// Invalid UTF-8 is replaced, and long texts are cut.
func TestInvalidAndLongTexts(t *testing.T) {
	l := newSDK(t, otelrecourse.Options{})
	ctx, p := context.Background(), &policy.Payment{Provider: "mo\xffmo", Operation: policy.Pay}
	c := &executor.CallEvent{Flow: "f-1", Payment: p, Err: errors.New(strings.Repeat("đ", 1000) + "\nand a stack")}
	called := l.observer.Calling(ctx, c)
	c.Answer = policy.Answer{Code: "a\xc3", Status: strings.Repeat("x", 1000), Fault: policy.Reset}
	l.observer.Called(called, c)
	s := l.exporter.GetSpans()[0]
	for _, text := range []string{s.Name, s.Status.Description, attributes(s.Attributes)} {
		if !utf8.ValidString(text) || len(text) > 600 || strings.Contains(text, "stack") {
			t.Errorf("%q is on a span", text)
		}
	}
	if want := strings.Repeat("đ", 128); s.Status.Description != want {
		t.Errorf("the description is %q", s.Status.Description)
	}
	if got := l.metrics(t); !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
}
