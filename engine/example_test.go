package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
)

// The default rules decide about two answers to the same payment: MoMo's refusal for
// want of money, and silence.
func Example() {
	e, err := engine.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	payment := policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
	for _, answer := range []policy.Answer{{Code: "1001"}, {Fault: policy.Timeout}} {
		fact := e.Judge(&payment, &answer)
		d := e.Decide(&policy.Situation{Payment: &payment, Answer: &answer, Fact: fact, Attempt: 1, At: time.Now()})
		fmt.Printf("%s, %s: %s, because %s\n", fact.Class, fact.Effect, d.Action, d.Reason)
		if d.Schedule != nil {
			fmt.Println("after", d.Schedule)
		}
	}
	// Output:
	// insufficient_funds, not_executed: mark_failed, because certain that no money moved and none will
	// network_error, unknown: query_status, because money may have moved, or may yet
	// after 2s -> 4s -> 8s -> 16s -> 32s -> …
}

// A folder of one's own stands in front of the defaults, file by file; every mistake in
// it is named with its place.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "rules")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "opi.toml")
	write := func(rule string) {
		if err := os.WriteFile(file, []byte(rule), 0o600); err != nil {
			fmt.Println(err)
		}
	}

	write("[[rule]]\nid   = 'large'\nwhen = 'amuont > 100 && effect == \"unkown\"'\nthen = 'escalate'\n")
	_, err = engine.Open(dir)
	var mistakes policy.Mistakes
	if errors.As(err, &mistakes) {
		for _, m := range mistakes {
			fmt.Printf("%s:%d:%d: %s\n", filepath.Base(m.File), m.Line, m.Column, m.Msg)
		}
	}

	write("[[rule]]\nid   = 'large'\nwhen = 'amount > 100 && currency == \"PHP\"'\nthen = 'escalate'\n")
	e, err := engine.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	payment := policy.Payment{Provider: "opi", Operation: policy.Payout, Amount: 5_000, Currency: "PHP"}
	d := e.Decide(&policy.Situation{Payment: &payment, Answer: &policy.Answer{Fault: policy.Timeout}})
	fmt.Println(d.Action, "by", d.Rule)
	// Output:
	// opi.toml:3:9: unknown name "amuont"; did you mean "amount"?
	// opi.toml:3:35: unknown effect "unkown"; did you mean "unknown"?
	// escalate by large
}

// An explanation says of every rule which part of its condition held.
func ExampleEngine_Explain() {
	e, err := engine.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	payment := policy.Payment{Provider: "momo", Operation: policy.Pay}
	answer := policy.Answer{Phase: policy.Query, Code: "40"}
	trace := e.Explain(&policy.Situation{Payment: &payment, Answer: &answer, InDoubt: true})
	for _, r := range trace.Rules {
		if !r.Candidate {
			continue // not even close
		}
		fmt.Println(r.ID, r.Held)
		for _, part := range r.Condition.Parts {
			fmt.Printf("  %t %s\n", part.Held, part.Text)
		}
	}
	// Output:
	// momo-in-flight true
	//   true code in ["40", "41", "7000"]
	//   true in_doubt
	// in-doubt true
	//   true in_doubt
	//   true effect in ["unknown", "pending"]
}
