package recording_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/recording"
	"github.com/recourse-pay/recourse/simulate"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)

// driver calls an observer as the executor does.
type driver struct {
	o    executor.Observer
	flow string
	p    policy.Payment
	at   time.Time
}

func (w *driver) call(ph policy.Phase, a executor.Attempt, took time.Duration, r executor.Reply, answer policy.Answer, err error) {
	a.Flow, a.Payment = w.flow, &w.p
	c := &executor.CallEvent{Flow: w.flow, Payment: &w.p, Phase: ph, Attempt: &a, Start: w.at}
	ctx := w.o.Calling(context.Background(), c)
	w.at = w.at.Add(took)
	answer.Phase = ph
	c.End, c.Reply, c.Answer, c.Err = w.at, r, answer, err
	w.o.Called(ctx, c)
}

func (w *driver) end(o policy.Outcome) {
	w.o.Ended(context.Background(), &executor.EndEvent{Flow: w.flow, Payment: &w.p, At: w.at, Outcome: o})
}

func pays(o executor.Observer, flow string) *driver {
	return &driver{o, flow, policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-" + flow, Amount: 120000, Currency: "VND", Tags: map[string]string{"shop": "7"},
	}, began}
}

// record is four flows: a timeout that a query and then a webhook explain, a decline, an
// answer that the client read itself, and one that is unreadable.
func record(o executor.Observer) {
	w := pays(o, "f-1")
	first := executor.Attempt{OrderID: "o-1", RequestID: "r-1", Number: 1}
	w.call(policy.Send, first, 30*time.Second, executor.Reply{}, policy.Answer{Fault: policy.Timeout}, context.DeadlineExceeded)
	w.at = w.at.Add(2 * time.Second)
	ask := executor.Attempt{OrderID: "o-1", RequestID: "r-1", By: policy.OrderID, QueryID: "q-1", Number: 1}
	w.call(policy.Query, ask, 231*time.Millisecond, executor.Reply{HTTPStatus: 200, RetryAfter: time.Minute, Body: []byte(`{"orderId":"o-1","requestId":"q-1","amount":120000,"resultCode":1000,"signature":"s3cret"}`)},
		policy.Answer{Code: "1000"}, nil)
	w.at = w.at.Add(8 * time.Second)
	w.o.WebhookReceived(context.Background(), &executor.WebhookEvent{
		Flow: "f-1", Payment: &w.p, At: w.at, Body: []byte(`{"orderId":"o-1","requestId":"r-1","amount":120000,"transId":4111111111111111,"resultCode":0}`),
		Answer: policy.Answer{Phase: policy.Webhook, Code: "0", OrderID: "o-1", RequestID: "r-1", ProviderID: "4111111111111111", Amount: 120000, Verified: true},
	})
	w.end(policy.Succeeded)

	w = pays(o, "f-2")
	second := executor.Attempt{OrderID: "o-2", RequestID: "r-2", Number: 1}
	w.call(policy.Send, second, time.Second, executor.Reply{HTTPStatus: 200, Body: []byte(`{"orderId":"o-2","requestId":"r-2","amount":120000,"resultCode":1006,"message":"card 4111-1111-1111-1111"}`)},
		policy.Answer{Code: "1006", OrderID: "o-2", RequestID: "r-2"}, nil)
	w.end(policy.Failed)

	w = pays(o, "f-3")
	read := policy.Answer{Code: "0", Message: "ok", ProviderID: "t-3"}
	w.call(policy.Send, executor.Attempt{OrderID: "o-3", RequestID: "r-3", Number: 1}, time.Second,
		executor.Reply{Body: []byte("<xml><code>0</code></xml>"), Answer: &read}, read, nil)
	w.call(policy.Query, executor.Attempt{OrderID: "o-3", RequestID: "r-3", By: policy.RequestID, QueryID: "q-3", Number: 1}, time.Second,
		executor.Reply{Body: []byte(`{"paid":true,"token":"s3cret"}`), Answer: &read}, read, nil)
	w.end(policy.Succeeded)

	w = pays(o, "f-4")
	w.call(policy.Send, executor.Attempt{OrderID: "o-4", RequestID: "r-4", Number: 1}, time.Second,
		executor.Reply{HTTPStatus: 502, Body: []byte("Bad Gateway")}, policy.Answer{Fault: policy.Unreadable, HTTPStatus: 502}, errors.New("unreadable"))
	w.end(policy.Escalated)
}

func TestSimulateReadsTheRecording(t *testing.T) {
	var out bytes.Buffer
	r := recording.New(&out, nil)
	record(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`{"v":1,"flow":"f-1","at":"2026-01-02T03:04:05.123456Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-1","order_id":"o-1","request_id":"r-1","amount":120000,"currency":"VND","capture":"auto","latency_ms":30000,"fault":"timeout","tags":{"shop":"7"}}
{"v":1,"flow":"f-2","at":"2026-01-02T03:04:05.123456Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-2","order_id":"o-2","request_id":"r-2","amount":120000,"currency":"VND","capture":"auto","latency_ms":1000,"http_status":200,"body":{"orderId":"o-2","requestId":"r-2","amount":120000,"resultCode":1006,"message":"card R"},"tags":{"shop":"7"}}
{"v":1,"flow":"f-3","at":"2026-01-02T03:04:05.123456Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-3","order_id":"o-3","request_id":"r-3","provider_id":"t-3","amount":120000,"currency":"VND","capture":"auto","latency_ms":1000,"code":"0","message":"ok","tags":{"shop":"7"}}
{"v":1,"flow":"f-3","at":"2026-01-02T03:04:06.123456Z","phase":"query","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-3","query_by":"request_id","order_id":"o-3","request_id":"r-3","provider_id":"t-3","amount":120000,"currency":"VND","latency_ms":1000,"code":"0","message":"ok","tags":{"shop":"7"}}
{"v":1,"flow":"f-1","at":"2026-01-02T03:04:37.123456Z","phase":"query","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-1","query_by":"order_id","order_id":"o-1","request_id":"q-1","amount":120000,"currency":"VND","latency_ms":231,"http_status":200,"retry_after_ms":60000,"body":{"orderId":"o-1","amount":120000,"resultCode":1000},"tags":{"shop":"7"}}
{"v":1,"flow":"f-1","at":"2026-01-02T03:04:45.354456Z","phase":"webhook","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-f-1","order_id":"o-1","request_id":"r-1","provider_id":"4111111111111111","amount":120000,"currency":"VND","verified":true,"body":{"orderId":"o-1","requestId":"r-1","amount":120000,"transId":4111111111111111,"resultCode":0},"tags":{"shop":"7"}}
`, `R"`, "…redacted…"+`"`)
	lines := strings.SplitAfter(out.String(), "\n")
	// Where no call is under way that began earlier, a line may be written before the next flow's come.
	at := regexp.MustCompile(`"at":"([^"]*)"`)
	slices.SortStableFunc(lines, func(a, b string) int {
		return strings.Compare(at.FindString(a), at.FindString(b))
	})
	var calls strings.Builder
	for _, l := range lines {
		if !strings.Contains(l, `"end"`) && !strings.Contains(l, "f-4") {
			calls.WriteString(l)
		}
	}
	if calls.String() != want {
		t.Errorf("got\n%s\nwant\n%s", calls.String(), want)
	}
	if strings.Contains(out.String(), "s3cret") {
		t.Error("a secret is recorded")
	}

	report, stories := simulated(t, out.String())
	if report.Lines != 11 || report.BrokenLines != 0 {
		t.Errorf("%d lines, %d broken, want 11 and none", report.Lines, report.BrokenLines)
	}
	if c := report.Recorded; c.Flows != 4 || c.Succeeded != 2 || c.Failed != 1 || c.Escalated != 1 || c.FailedThoughExecuted != 0 || c.SucceededThoughNotExecuted != 0 {
		t.Errorf("recorded: %+v", c)
	}
	if !strings.Contains(stories, "webhook") || !strings.Contains(stories, "succeeded") {
		t.Errorf("the story of f-1:\n%s", stories)
	}
}

func simulated(t *testing.T, text string) (*simulate.Report, string) {
	t.Helper()
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	report, err := simulate.Run(context.Background(), simulate.Options{
		Decider: e, Catalogs: e.Catalogs, Stdin: strings.NewReader(text), Flow: "f-1", Broken: func(b *simulate.LineError) { t.Error(b) },
	}, "-")
	if err != nil {
		t.Fatal(err)
	}
	var story strings.Builder
	for _, s := range report.Stories() {
		for _, step := range s.Simulated {
			story.WriteString(step.What + "\n")
		}
	}
	return report, story.String()
}
