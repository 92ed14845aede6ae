package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// One line of every phase but webhook, as the documentation shows them.
var exampleLines = []string{
	`{"v":1,"flow":"f-1","at":"2026-01-02T03:04:05.123Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","payment_key":"cart-77","order_id":"o-1001","request_id":"r-1","amount":120000,"currency":"VND","capture":"auto","latency_ms":30000,"fault":"timeout"}`,
	`{"v":1,"flow":"f-1","at":"2026-01-02T03:05:05.123Z","phase":"query","provider":"momo","merchant":"acme","operation":"pay","query_by":"order_id","order_id":"o-1001","request_id":"q-1","latency_ms":231,"http_status":200,"body":{"orderId":"o-1001","amount":120000,"resultCode":1000}}`,
	`{"v":1,"flow":"f-1","at":"2026-01-02T03:06:00Z","phase":"end","merchant":"acme","outcome":"failed"}`,
	`{"v":1,"flow":"f-1","at":"2026-01-03T00:00:00Z","phase":"truth","merchant":"acme","executions":[{"order_id":"o-1001","request_id":"r-1","amount":120000,"at":"2026-01-02T03:04:09Z"}]}`,
}

func readLine(t testkit.Failer, raw string) (line, error) {
	t.Helper()
	var l line
	err := newLineReader(&Options{Catalogs: defaults(t).Catalogs}, newLore(true)).read([]byte(raw), &l)
	return l, err
}

func TestExampleLines(t *testing.T) {
	var got [4]line
	for i, raw := range exampleLines {
		l, err := readLine(t, raw)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if l.Flow != "f-1" || l.Payment.Merchant != "acme" {
			t.Errorf("line %d is of flow %q of %q", i+1, l.Flow, l.Payment.Merchant)
		}
		got[i] = l
	}
	send, query, end, truth := got[0], got[1], got[2], got[3]
	if want := time.Date(2026, 1, 2, 3, 4, 5, 123e6, time.UTC); !send.At.Equal(want) {
		t.Errorf("the send is at %s", send.At)
	}
	want := policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77", Amount: 120000, Currency: "VND"}
	if fmt.Sprint(send.Payment) != fmt.Sprint(want) {
		t.Errorf("the payment is %+v", send.Payment)
	}
	if send.Phase != recorded.Send || send.Latency != 30*time.Second || send.Answer.Fault != policy.Timeout || send.OrderID != "o-1001" || send.RequestID != "r-1" {
		t.Errorf("the send is %+v", send)
	}
	if query.Phase != recorded.Query || query.QueryBy != policy.OrderID || query.Answer.Code != "1000" || query.Answer.HTTPStatus != 200 || query.Latency != 231*time.Millisecond {
		t.Errorf("the query is %+v", query)
	}
	if end.Phase != recorded.End || end.Outcome != policy.Failed {
		t.Errorf("the end is %+v", end)
	}
	x := recorded.Execution{OrderID: "o-1001", RequestID: "r-1", Amount: 120000, At: time.Date(2026, 1, 2, 3, 4, 9, 0, time.UTC)}
	if truth.Phase != recorded.Truth || len(truth.Executions) != 1 || truth.Executions[0] != x {
		t.Errorf("the truth is %+v", truth)
	}
}

// What an answer reads as, out of the fields of a send at MoMo.
func TestAnswersOfLines(t *testing.T) {
	tests := []struct {
		name string
		more fields
		want policy.Answer
	}{
		{"a code as a number", code(1006), policy.Answer{Code: "1006", OrderID: "o-1", Amount: 1000}},
		{"a code as a string", fields{"body": fields{"resultCode": "1006"}}, policy.Answer{Code: "1006", OrderID: "o-1", Amount: 1000}},
		{"a body in a string", fields{"body": `{"orderId":"o-1","amount":1000,"resultCode":1006,"message":"no"}`}, policy.Answer{Code: "1006", Message: "no", OrderID: "o-1", Amount: 1000}},
		{"a page of a proxy", fields{"http_status": 502, "body": "<html>Bad Gateway</html>"}, policy.Answer{HTTPStatus: 502, Fault: policy.Unreadable}},
		{"no body", fields{"http_status": 204}, policy.Answer{HTTPStatus: 204}},
		{"a body of null", fields{"body": nil}, policy.Answer{}},
		{"a body that is an array", fields{"body": []int{1}}, policy.Answer{Fault: policy.Unreadable}},
		{"an empty text as body", fields{"body": ""}, policy.Answer{Fault: policy.Unreadable}},
		{"decoded fields, a number among them", fields{"code": 41, "status": "S", "sub_status": "T", "message": "m"},
			policy.Answer{Code: "41", Status: "S", SubStatus: "T", Message: "m"}},
		{"decoded fields, in strings", fields{"code": "0041", "sub_code": "x"}, policy.Answer{Code: "0041", SubCode: "x"}},
		{"refused", fields{"fault": "not_sent"}, policy.Answer{Fault: policy.NotSent}},
		{"a fault outranks a body", with(fields{"fault": "timeout"}, code(0)), policy.Answer{Fault: policy.Timeout}},
		{"reset", fields{"fault": "reset"}, policy.Answer{Fault: policy.Reset}},
		{"unreadable, as a fault", fields{"fault": "unreadable"}, policy.Answer{Fault: policy.Unreadable}},
		{"an empty fault", with(fields{"fault": ""}, code(0)), policy.Answer{Code: "0", OrderID: "o-1", Amount: 1000}},
		{"retry after", with(fields{"retry_after_ms": 2500}, code(1)), policy.Answer{Code: "1", RetryAfter: 2500 * time.Millisecond, OrderID: "o-1", Amount: 1000}},
		{"the provider's own id", with(fields{"provider_id": "t-9"}, code(1)), policy.Answer{Code: "1", ProviderID: "t-9", OrderID: "o-1", Amount: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := readLine(t, jsonLine(t, "f", 0, "send", tt.more))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Currency = "VND"
			if l.Answer != tt.want {
				t.Errorf("reads\n%+v, want\n%+v", l.Answer, tt.want)
			}
		})
	}
}

func TestWebhookLines(t *testing.T) {
	l, err := readLine(t, jsonLine(t, "f", 0, "webhook", with(fields{"verified": true}, code(0))))
	if err != nil {
		t.Fatal(err)
	}
	if a := l.Answer; a.Phase != policy.Webhook || !a.Verified || a.OrderID != "o-1" || a.RequestID != "r-1" || a.Code != "0" {
		t.Errorf("reads %+v", a)
	}
	l, err = readLine(t, jsonLine(t, "f", 0, "webhook", code(0)))
	if err != nil || l.Answer.Verified {
		t.Errorf("it is not verified, and it reads %+v (%v)", l.Answer, err)
	}
}

func TestTagsCaptureAndOperations(t *testing.T) {
	l, err := readLine(t, jsonLine(t, "f", 0, "send", fields{"capture": "manual", "tags": fields{"channel": "pos", "tier": "gold"}}))
	if err != nil {
		t.Fatal(err)
	}
	if l.Payment.Capture != policy.Manual || l.Payment.Tags["channel"] != "pos" || l.Payment.Tags["tier"] != "gold" {
		t.Errorf("reads %+v", l.Payment)
	}
	for _, op := range policy.Operations() {
		if l, err := readLine(t, jsonLine(t, "f", 0, "send", fields{"operation": op.String()})); err != nil || l.Payment.Operation != op {
			t.Errorf("%s reads %s (%v)", op, l.Payment.Operation, err)
		}
	}
}

// brokenLines are lines that cannot be read, with words that their error must have:
// what is wrong and, where there is a choice, what exists.
var brokenLines = []struct {
	name, raw string
	words     []string
}{
	{"no JSON", `flow f-1 was paid`, []string{"not a JSON object"}},
	{"an array", `[1,2]`, []string{"not a JSON object"}},
	{"a number", `7`, []string{"not a JSON object"}},
	{"cut off", exampleLines[0][:120], []string{"not a JSON object"}},
	{"two objects", `{"v":1}{"v":1}`, []string{"not a JSON object"}},
	{"no version", `{"flow":"f","at":"2026-01-02T03:04:05Z","phase":"end","outcome":"failed"}`, []string{"version", "1"}},
	{"another version", `{"v":2,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"end","outcome":"failed"}`, []string{"version is 2", "version 1"}},
	{"no flow", `{"v":1,"at":"2026-01-02T03:04:05Z","phase":"end","outcome":"failed"}`, []string{"flow is missing"}},
	{"no time", `{"v":1,"flow":"f","phase":"end","outcome":"failed"}`, []string{"at is missing"}},
	{"a time in words", `{"v":1,"flow":"f","at":"yesterday","phase":"end","outcome":"failed"}`, []string{"yesterday", "2026-01-02T03:04:05.123Z"}},
	{"the 30th of February", `{"v":1,"flow":"f","at":"2026-02-30T03:04:05Z","phase":"end","outcome":"failed"}`, []string{"2026-02-30"}},
	{"a time without a zone", `{"v":1,"flow":"f","at":"2026-01-02T03:04:05","phase":"end","outcome":"failed"}`, []string{"2026-01-02T03:04:05"}},
	{"no phase", `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z"}`, []string{"phase", "send, query, webhook, end, truth"}},
	{"an unknown phase", `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"sent"}`, []string{`"sent"`, "send, query, webhook, end, truth"}},
	{"an unknown provider", strings.Replace(exampleLines[0], "momo", "mono", 1), []string{"mono", "momo", "opi", "paykka", "shopline"}},
	{"no provider", strings.Replace(exampleLines[0], `"provider":"momo",`, "", 1), []string{"momo", "opi", "paykka", "shopline"}},
	{"an unknown operation", strings.Replace(exampleLines[0], `"pay"`, `"charge"`, 1), []string{"charge", "checkout", "payout"}},
	{"an unknown fault", strings.Replace(exampleLines[0], `"timeout"`, `"slow"`, 1), []string{"slow", "not_sent", "timeout", "reset", "unreadable"}},
	{"an unknown capture", strings.Replace(exampleLines[0], `"auto"`, `"later"`, 1), []string{"later", "auto", "manual"}},
	{"an unknown outcome", strings.Replace(exampleLines[2], "failed", "lost", 1), []string{"lost", "succeeded", "failed", "escalated"}},
	{"no outcome", strings.Replace(exampleLines[2], `,"outcome":"failed"`, "", 1), []string{"succeeded", "failed", "escalated"}},
	{"an unknown identifier to query by", strings.Replace(exampleLines[1], `"query_by":"order_id"`, `"query_by":"orderId"`, 1),
		[]string{"orderId", "order_id", "request_id", "provider_id"}},
	{"a latency below zero", strings.Replace(exampleLines[0], `30000`, `-30000`, 1), []string{"latency_ms"}},
	{"a truth without its list", `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"truth"}`, []string{"executions"}},
	{"a truth whose list is none", `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"truth","executions":"two"}`, []string{"executions"}},
}

func TestBrokenLines(t *testing.T) {
	for _, tt := range brokenLines {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readLine(t, tt.raw)
			if err == nil {
				t.Fatalf("is read:\n%s", tt.raw)
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the error does not name %q: %v", word, err)
				}
			}
		})
	}
}

// FuzzReadLine: every line is read or refused.
func FuzzReadLine(f *testing.F) {
	for _, l := range exampleLines {
		f.Add([]byte(l))
	}
	for _, l := range brokenLines {
		f.Add([]byte(l.raw))
	}
	f.Add([]byte(`{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"webhook","provider":"shopline","operation":"pay","body":"{\"data\":{\"paymentMsg\":{\"code\":1}}}"}`))
	e := defaults(f)
	r := newLineReader(&Options{Catalogs: e.Catalogs}, newLore(true))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var l line
		if err := r.read(raw, &l); err != nil {
			if err.Error() == "" {
				t.Error("the error is empty")
			}
			return
		}
		if l.Flow == "" || l.Phase > recorded.Truth {
			t.Errorf("reads %+v", l)
		}
		s := new(encoder)
		log := s.log(l.Flow)
		s.addLine(newKinds(true), log, &l) // what is read can be encoded
		new(record).decode(s.kinds, log)
	})
}
