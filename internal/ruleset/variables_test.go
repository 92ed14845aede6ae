package ruleset

import (
	"fmt"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// The twin sees a situation through the same variables as the engine. Here each of them
// is what the documentation says, and not something else.
func TestVariables(t *testing.T) {
	s := policy.Situation{
		Payment: &policy.Payment{
			Provider: "momo", Merchant: "acme", Operation: policy.Refund, Amount: 1234, Currency: "TWD",
			Capture: policy.Manual, Tags: map[string]string{"tier": "gold"},
		},
		Answer: &policy.Answer{
			Phase: policy.Webhook, Fault: policy.Unreadable, HTTPStatus: 503, Code: "40", SubCode: "41", Status: "REVIEWING",
			SubStatus: "CAPTURED", Message: "xin thử lại", RetryAfter: 90 * time.Second, Amount: 99, Currency: "VND",
		},
		Fact: policy.Fact{
			Effect: policy.Pending, Class: policy.NotYet, Stage: policy.Result, Reach: policy.OneAttempt, Final: policy.NotFinal,
		},
		InDoubt: true, Attempt: 3, Queries: 7, Fired: policy.Counts{{Name: "other", N: 9}},
		Elapsed: 5 * time.Minute, At: time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC),
	}
	tests := map[string]string{ // by variable
		"provider": `provider == "momo"`, "merchant": `merchant == "acme"`, "operation": `operation == "refund"`,
		"phase": `phase == "webhook"`, "code": `code == "40"`, "sub_code": `sub_code == "41"`, "status": `status == "REVIEWING"`,
		"sub_status": `sub_status == "CAPTURED"`, "message": `message == "xin thử lại"`, "http_status": `http_status == 503`,
		"fault": `fault == "unreadable"`, "effect": `effect == "pending"`, "class": `class == "not_yet"`, "stage": `stage == "result"`,
		"reach": `reach == "attempt"`, "final": `final == "no"`, "in_doubt": `in_doubt`, "attempt": `attempt == 3`,
		"queries": `queries == 7`, "fired": `fired == 2`, "elapsed": `elapsed == duration("5m")`, "amount": `amount == 1234`,
		"currency": `currency == "TWD"`, "capture": `capture == "manual"`, "hour": `hour == 3`, // in Saigon, tomorrow
		"weekday": `weekday == "saturday"`, "retry_after": `retry_after == duration("90s")`, "tags": `tags.tier == "gold"`,
	}
	for name := range variables {
		when, ok := tests[name]
		if !ok {
			t.Errorf("no test for %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			// By the index, natively, and by expr.
			for _, form := range []string{"%s", "(%s) || attempt > 99", "(%s) == true"} {
				holds := fmt.Sprintf(form, when)
				e := opened(t, alone(t, map[string]string{
					"merchants/acme.toml": "timezone = \"Asia/Ho_Chi_Minh\"\n" +
						rule("unless", "!("+holds+")", "escalate") + rule("holds", holds, "mark_failed"),
				}))
				s := s
				s.Fired = s.Fired.Plus("unless").Plus("unless").Plus("holds").Plus("holds")
				if got := e.Decide(&s); got.Rule != "holds" {
					t.Errorf("%s does not hold: %s", holds, oneLine(got))
				}
				if got := e.Explain(&s).Rules; got[0].Held || !got[1].Held {
					t.Errorf("%s does not hold in an explanation: %+v", holds, got)
				}
			}
		})
	}
}

// The index counts on a word's value being the place of its name.
func TestWordsAreTheirPlaces(t *testing.T) {
	for name, v := range variables {
		if v.kind != word {
			continue
		}
		seen := map[string]bool{}
		for _, w := range v.words {
			if seen[w] {
				t.Errorf("%s has %q twice", name, w)
			}
			seen[w] = true
		}
	}
	check := func(name string, n int, text string) {
		if words := variables[name].words; n >= len(words) || words[n] != text {
			t.Errorf("%s: value %d is %q, and stands elsewhere in %q", name, n, text, words)
		}
	}
	for _, w := range policy.Operations() {
		check("operation", int(w), w.String())
	}
	for _, w := range policy.Phases() {
		check("phase", int(w), w.String())
	}
	for _, w := range policy.All[policy.Effect]() {
		check("effect", int(w), w.String())
	}
	for _, w := range policy.All[policy.Class]() {
		check("class", int(w), w.String())
	}
	for _, w := range policy.All[policy.Stage]() {
		check("stage", int(w), w.String())
	}
	for _, w := range policy.All[policy.Reach]() {
		check("reach", int(w), w.String())
	}
	for _, w := range policy.All[policy.Finality]() {
		check("final", int(w), w.String())
	}
	for _, w := range append([]policy.Fault{policy.NoFault}, policy.All[policy.Fault]()...) {
		check("fault", int(w), w.String())
	}
	for _, w := range policy.All[policy.CaptureMode]() {
		check("capture", int(w), w.String())
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if weekdays[d] != map[time.Weekday]string{
			0: "sunday", 1: "monday", 2: "tuesday", 3: "wednesday", 4: "thursday", 5: "friday", 6: "saturday",
		}[d] {
			t.Errorf("%s is written %q", d, weekdays[d])
		}
	}
}
