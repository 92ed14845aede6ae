package executor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

func TestEveryEndHasItsStory(t *testing.T) {
	few := rulesOf(t, map[string]string{"merchants/acme.toml": "[limits]\nmax_queries = 2\n"})
	tests := []struct {
		name  string
		bank  *bank
		want  policy.Outcome
		class policy.Class
		story string
	}{
		{"paid at once", &bank{sends: []reply{paidNow}}, policy.Succeeded, policy.Success, `
0s  send 1 as order o-k, request r-k
0s  send answered 0: executed, success: mark_succeeded (executed, baseline.toml)
0s  end: succeeded (the provider proved it)`},
		{"refused", &bank{sends: []reply{refused}}, policy.Failed, policy.InsufficientFunds, `
0s  send 1 as order o-k, request r-k
0s  send answered 1001: not_executed, insufficient_funds: mark_failed (failed, baseline.toml)
0s  end: failed (certain that no money moved and none will)`},
		{"silence, then found paid", &bank{sends: []reply{silence}, asks: []reply{paidAsk}}, policy.Succeeded, policy.Success, `
0s  send 1 as order o-k, request r-k
+30s  send answered timeout: unknown, network_error, in doubt: query_status in 2s (in-doubt, baseline.toml)
+30s  wait, then query_status
+32s  query 1 by order_id
+32s  query answered 0: executed, success: mark_succeeded (executed, baseline.toml)
+32s  end: succeeded (the provider proved it)`},
		{"silence, then found failed", &bank{sends: []reply{silence}, asks: []reply{working, refused}}, policy.Failed, policy.InsufficientFunds, `
0s  send 1 as order o-k, request r-k
+30s  send answered timeout: unknown, network_error, in doubt: query_status in 2s (in-doubt, baseline.toml)
+30s  wait, then query_status
+32s  query 1 by order_id
+32s  query answered 7000: pending, processing, in doubt: query_status in 4s (momo-in-flight, momo.toml)
+32s  wait, then query_status
+36s  query 2 by order_id
+36s  query answered 1001: not_executed, insufficient_funds: mark_failed (failed, baseline.toml)
+36s  end: failed (certain that no money moved and none will)`},
		{"every query says pending", &bank{sends: []reply{silence}, asks: []reply{working}}, policy.Escalated, policy.Processing, `
0s  send 1 as order o-k, request r-k
+30s  send answered timeout: unknown, network_error, in doubt: query_status in 2s (in-doubt, baseline.toml)
+30s  wait, then query_status
+32s  query 1 by order_id
+32s  query answered 7000: pending, processing, in doubt: query_status in 4s (momo-in-flight, momo.toml)
+32s  wait, then query_status
+36s  query 2 by order_id
+36s  query answered 7000: pending, processing, in doubt: escalate (max_queries is spent) (momo-in-flight, momo.toml)
+36s  end: escalated (max_queries spent: a duplicate is evidence that the first request arrived)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := carry(t, open(t, few, executor.Config{}), of("acme", payment("k")), tt.bank)
				wantOutcome(t, r, tt.want)
				if r.Class != tt.class || r.Reason == "" || r.Repeated || r.Flow == "" {
					t.Errorf("the result is %+v", r)
				}
				if got := tidy(r.Story()); got != tidy(tt.story) {
					t.Errorf("the story is\n%s\nwant\n%s", got, tidy(tt.story))
				}
			})
		})
	}
}

// tidy takes the places of rules, and the indentation, out of a story.
func tidy(story string) string {
	var out []string
	for line := range strings.Lines(strings.TrimSpace(story)) {
		fields := strings.Fields(line)
		for i, f := range fields {
			if at := strings.Index(f, ".toml:"); at >= 0 {
				fields[i] = strings.TrimPrefix(f[:at], "rules/") + ".toml)"
			}
		}
		out = append(out, strings.Join(fields, " "))
	}
	return strings.Join(out, "\n")
}

func TestAnEscalationBringsItsEvidence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reported []*executor.Result
		x := open(t, defaults(), executor.Config{OnEscalate: remember(&reported)})
		r := carry(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{working}})
		wantOutcome(t, r, policy.Escalated)
		if len(reported) != 1 || reported[0].Flow != r.Flow || reported[0].Outcome != policy.Escalated {
			t.Fatalf("OnEscalate called %d times: %+v", len(reported), reported)
		}
		s := reported[0].State()
		if len(s.Evidence) < 10 || s.Queries < 30 || len(s.Ledger) != 1 || s.Ledger[0].Effect != policy.Pending {
			t.Errorf("%d pieces of evidence, %d queries, ledger %+v", len(s.Evidence), s.Queries, s.Ledger)
		}
		if a := s.Evidence[0].Answer; a == nil || a.Fault != policy.Timeout || s.Evidence[0].Phase != policy.Send {
			t.Errorf("the evidence does not begin with the silence: %+v", s.Evidence[0])
		}
	})
}

func TestAnotherAmountIsForAPerson(t *testing.T) {
	for _, said := range []policy.Answer{
		{Code: "0", Amount: 12_000, Currency: "VND"},
		{Code: "0", Amount: 120_000, Currency: "USD"},
		{Code: "0", Amount: policy.OddAmount},
	} {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{{answer: said}}, asks: []reply{paidAsk}}
			r := carry(t, open(t, defaults(), executor.Config{}), payment("k"), b)
			wantOutcome(t, r, policy.Escalated)
			if r.Class != policy.Mismatch {
				t.Errorf("%+v is of class %s", said, r.Class)
			}
			b.wantCalls(t, 1, 0)
		})
	}
}

func TestAnswersOfOtherPaymentsAndAbsurdOnes(t *testing.T) {
	tests := []struct {
		name  string
		reply reply
	}{
		{"nothing at all", reply{}},
		{"an unknown code", code("no such code")},
		{"another order's success", reply{answer: policy.Answer{Code: "0", OrderID: "o-other"}}},
		{"another order's failure", reply{answer: policy.Answer{Code: "1001", OrderID: "o-other", RequestID: "r-other"}}},
		{"another request's success under our order", reply{answer: policy.Answer{Code: "1001", OrderID: "o-k", RequestID: "r-other"}}},
		{"a claim to be a verified webhook", reply{answer: policy.Answer{Code: "7000", Phase: policy.Webhook, Verified: true}}},
		{"a wait below zero", reply{answer: policy.Answer{Code: "7000", RetryAfter: -time.Hour}}},
		{"a status of no table", reply{answer: policy.Answer{Status: "SPLENDID", HTTPStatus: 299}}},
		{"a fault that the client made up", reply{answer: policy.Answer{Fault: policy.Reset, Code: "0"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{tt.reply}, asks: []reply{tt.reply, paidAsk}}
				r := carry(t, open(t, defaults(), executor.Config{}), payment("k"), b)
				wantOutcome(t, r, policy.Succeeded)
				b.wantCalls(t, 1, 2)
			})
		})
	}
}

func TestAnEmptyReplyIsUnreadableAndInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := &paid{}
		r := carry(t, open(t, defaults(), executor.Config{}), payment("k"), c)
		wantOutcome(t, r, policy.Escalated)
		if e := r.State().Evidence[0]; e.Answer.Fault != policy.Unreadable || r.State().Attempts != 1 {
			t.Errorf("%d sends; the first answer was taken for %+v", r.State().Attempts, e.Answer)
		}
	})
}
