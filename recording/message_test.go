package recording

import (
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
)

// What an answer was read from is written, redacted by its names: forms, query strings, headers.
func TestWhatStandsBesideABodyIsRecorded(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &policy.Payment{Provider: "p", Operation: policy.Pay, Amount: 2000}
	call := func(r executor.Reply) *entry {
		return fromCall(&executor.CallEvent{Flow: "f", Payment: p, Phase: policy.Send, Start: at, End: at, Reply: r, Attempt: &executor.Attempt{Number: 1}, Answer: policy.Answer{Code: "OK"}})
	}
	hook := func(header map[string]string, query, body string) *entry {
		w := &executor.WebhookEvent{Flow: "f", Payment: p, At: at, Header: header, Query: query, Answer: policy.Answer{Phase: policy.Webhook, Code: "OK", OrderID: "o-1"}}
		if body != "" {
			w.Body = []byte(body)
		}
		return fromWebhook(w)
	}
	tests := []struct {
		name   string
		e      *entry
		has    []string
		hasNot []string
	}{
		{"a form", call(executor.Reply{Body: []byte("rc=OK&phone=0901234567&sign=abc")}), []string{`"body":"rc=OK&phone=` + redact.Mark + `&sign=` + redact.Mark + `"`}, []string{`"code"`, "0901"}},
		{"a query string", hook(nil, "rc=OK&ref=o-1&vnp_SecureHash=abc", ""), []string{`"query_string":"rc=OK&ref=o-1&vnp_SecureHash=` + redact.Mark + `"`}, []string{`"code"`, "abc"}},
		{"a query string that is none", hook(nil, "<b>4111111111111111</b>", ""), []string{`"query_string":"` + redact.Mark + `"`}, []string{"4111"}},
		{"headers", hook(map[string]string{"X-Result": "OK", "X-Token": "abc", "X-Card": "4111111111111111"}, "", `{"a":1}`), []string{`"X-Result":"OK"`, `"X-Token":"` + redact.Mark + `"`, `"body":{"a":1}`}, []string{"abc", "4111"}},
		{"a body that cannot be written takes what was beside it along", hook(map[string]string{"X-Result": "OK"}, "a=1", "<html>"), []string{`"code":"OK"`}, []string{"headers", "query_string", "html"}},
		{"the client read it", call(executor.Reply{Answer: &policy.Answer{Code: "OK"}, Body: []byte("rc=OK")}), []string{`"code":"OK"`}, []string{`"body"`}},
	}
	for _, tt := range tests {
		line := string(tt.e.line(redact.New(nil, nil, 0), 1<<16))
		for _, s := range tt.has {
			if !strings.Contains(line, s) {
				t.Errorf("%s: %s lacks %s", tt.name, line, s)
			}
		}
		for _, s := range tt.hasNot {
			if strings.Contains(line, s) {
				t.Errorf("%s: %s has %s", tt.name, line, s)
			}
		}
	}
}
