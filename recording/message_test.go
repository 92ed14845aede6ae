package recording

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/observed"
	"github.com/recourse-pay/recourse/policy"
)

// Of what an answer was read from, what a catalogue reads is written: forms, query strings, headers.
func TestWhatStandsBesideABodyIsRecorded(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &policy.Payment{Provider: "p", Operation: policy.Pay, Amount: 2000}
	call := func(r executor.Reply) *entry {
		return (*entry)(observed.Call(&executor.CallEvent{Flow: "f", Payment: p, Phase: policy.Send, Start: at, End: at, Reply: r, Attempt: &executor.Attempt{Number: 1}, Answer: policy.Answer{Code: "OK"}}))
	}
	hook := func(header map[string]string, query, body string) *entry {
		w := &executor.WebhookEvent{Flow: "f", Payment: p, At: at, Header: header, Query: query, Answer: policy.Answer{Phase: policy.Webhook, Code: "OK", OrderID: "o-1"}}
		if body != "" {
			w.Body = []byte(body)
		}
		return (*entry)(observed.Webhook(w))
	}
	form, query, json, header := catalogOf(t, beside("form", "rc", "ref")), catalogOf(t, beside("query", "rc", "ref")), catalogOf(t, beside("json", "query:rc", "ref")), catalogOf(t, beside("json", "header:X-Result", "ref"))
	tests := []struct {
		name   string
		c      oneCatalog
		e      *entry
		has    []string
		hasNot []string
	}{
		{"a form", form, call(executor.Reply{Body: []byte("rc=OK&phone=0901234567&sign=abc&a[b]=c")}), []string{`"body":"rc=OK"`}, []string{`"code"`, "0901", "abc", "a["}},
		{"a query string", query, hook(nil, "rc=OK&ref=o-1&vnp_SecureHash=abc", ""), []string{`"query_string":"rc=OK&ref=o-1"`}, []string{`"code"`, "abc"}},
		{"a query string beside a body", json, hook(nil, "rc=OK&token=abc", `{"ref":"o-1","token":"abc"}`), []string{`"query_string":"rc=OK"`, `"body":{"ref":"o-1"}`}, []string{`"code"`, "abc"}},
		{"a query string that is none", query, hook(nil, "<b>4111111111111111</b>", ""), []string{`"code":"OK"`}, []string{"4111", "query_string"}},
		{"headers", header, hook(map[string]string{"x-result": "OK", "X-Token": "abc", "X-Card": "4111111111111111"}, "", `{"ref":"o-1"}`), []string{`"X-Result":"OK"`, `"body":{"ref":"o-1"}`}, []string{"abc", "4111", "X-Token"}},
		{"a body that cannot be written takes what was beside it along", header, hook(map[string]string{"X-Result": "OK"}, "a=1", "<html>"), []string{`"code":"OK"`}, []string{"headers", "query_string", "html"}},
		{"another catalogue reads another answer", form, call(executor.Reply{Body: []byte("rc=NO")}), []string{`"code":"OK"`}, []string{`"body"`}},
		{"the client read it", form, call(executor.Reply{Answer: &policy.Answer{Code: "OK"}, Body: []byte("rc=OK")}), []string{`"code":"OK"`}, []string{`"body"`}},
	}
	for _, tt := range tests {
		line := string(tt.e.line(newRedactor(&Options{Rules: tt.c}), 1<<16))
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

// beside is a catalogue that reads bodies which are written in a way.
func beside(body, code, orderID string) string {
	return fmt.Sprintf("name = \"acme\"\noperations = [\"pay\"]\n[[decode]]\nbody = %q\ncode = %q\norder_id = %q\n", body, code, orderID)
}
