package flow_test

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A payment is sent, nothing comes back, and a query finds out that it was paid. A
// driver would carry out the commands; here they are printed.
func ExampleStep() {
	rules, err := engine.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	after := func(seconds int) flow.Moment {
		return flow.Moment{At: noon.Add(time.Duration(seconds) * time.Second), Jitter: 0.5}
	}
	state := flow.State{Payment: policy.Payment{
		Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120000, Currency: "VND",
	}}
	for _, event := range []flow.Event{
		flow.Start{Moment: after(0), OrderID: "o-1", RequestID: "r-1"},
		flow.Answered{Moment: after(30), Answer: policy.Answer{Fault: policy.Timeout}},
		flow.Due{Moment: after(32), RequestID: "r-2"},
		flow.Queried{Moment: after(33), Answer: policy.Answer{Code: "0", OrderID: "o-1", Amount: 120000}},
	} {
		var commands []flow.Command
		if state, commands, err = flow.Step(rules, state, event); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%T\n", event)
		for _, c := range commands {
			switch c := c.(type) {
			case flow.Record:
				fmt.Println("  store the state")
			case flow.Send:
				fmt.Println("  send", c.Identity.OrderID, c.Identity.RequestID, "and listen until", c.Deadline.Format(time.TimeOnly))
			case flow.Ask:
				fmt.Println("  ask by", c.By)
			case flow.Wait:
				fmt.Println("  wait until", c.Until.Format(time.TimeOnly), "to", c.Action)
			case flow.Finish:
				fmt.Println("  finish:", c.Outcome)
			case flow.Alert:
				fmt.Println("  alert:", c.Reason)
			case flow.Decided:
				fmt.Println("  decided:", c.Decision.Action, "because", c.Decision.Reason)
			}
		}
	}
	// Output:
	// flow.Start
	//   store the state
	//   send o-1 r-1 and listen until 12:00:30
	// flow.Answered
	//   decided: query_status because money may have moved, or may yet
	//   store the state
	//   wait until 12:00:32 to query_status
	// flow.Due
	//   store the state
	//   ask by order_id
	// flow.Queried
	//   decided: mark_succeeded because the provider proved it
	//   store the state
	//   finish: succeeded
}
