package policy_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// An answer proves a fact; a decision says what is wanted about it, and when; the
// contract says whether the same request may be sent again.
func Example() {
	payment := policy.Payment{Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120000, Currency: "VND"}
	fact := policy.Fact{Effect: policy.Unknown, Class: policy.NetworkError}
	decision := policy.Decision{Action: policy.QueryStatus, Schedule: &policy.Schedule{
		InitialInterval: 2 * time.Second, Multiplier: 2, MaxInterval: 15 * time.Minute,
	}}
	contract := policy.Contract{
		Dedupe: []policy.Identifier{policy.RequestID}, DedupeWindow: 24 * time.Hour,
		Replay: policy.FirstResult, Timeout: 30 * time.Second, ArrivalGrace: 5 * time.Minute,
	}

	words, _ := json.Marshal(fact)
	fmt.Println(policy.FormatAmount(payment.Amount, payment.Currency), "by", payment.Operation)
	fmt.Println(string(words))
	fmt.Println(decision.Action, "after", decision.Schedule)
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fmt.Println("replay safe:", contract.ReplaySafe(sent, sent.Add(time.Hour)))
	// Output:
	// 120,000 VND by pay
	// {"effect":"unknown","class":"network_error","stage":"door","reach":"payment","basis":"inferred","final":"unspecified"}
	// query_status after 2s -> 4s -> 8s -> 16s -> 32s -> …
	// replay safe: true
}

func ExampleWordError() {
	var c policy.Class
	fmt.Println(c.UnmarshalText([]byte("succes")) != nil)
	var s policy.Stage
	fmt.Println(s.UnmarshalText([]byte("window")))
	// Output:
	// true
	// unknown stage "window" (there are: door, result)
}
