package simulate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/simulate"
)

// The recorded client marked a payment failed after a timeout. The default rules wait for the
// webhook, and mark it succeeded.
func Example() {
	recording := strings.NewReader(`
{"v":1,"flow":"f-1","at":"2026-01-02T03:04:05Z","phase":"send","provider":"momo","operation":"pay","payment_key":"cart-77","order_id":"o-1","request_id":"r-1","amount":120000,"currency":"VND","latency_ms":30000,"fault":"timeout"}
{"v":1,"flow":"f-1","at":"2026-01-02T03:04:35Z","phase":"end","outcome":"failed"}
{"v":1,"flow":"f-1","at":"2026-01-02T03:09:00Z","phase":"webhook","provider":"momo","operation":"pay","order_id":"o-1","request_id":"r-1","verified":true,"body":{"orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":0}}
{"v":1,"flow":"f-1","at":"2026-01-03T00:00:00Z","phase":"truth","executions":[{"order_id":"o-1","request_id":"r-1","amount":120000,"at":"2026-01-02T03:04:09Z"}]}
`)
	e, err := engine.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := simulate.Run(context.Background(), simulate.Options{
		Decider: e, Catalogs: e.Catalogs, Stdin: recording, Flow: "f-1",
	}, "-")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("recorded:  failed though executed:", report.Recorded.FailedThoughExecuted)
	fmt.Println("simulated: failed though executed:", report.Simulated.FailedThoughExecuted)
	for _, step := range report.Stories()[0].Simulated {
		fmt.Println(step.At.Format("15:04:05"), step.What)
	}
	// Output:
	// recorded:  failed though executed: 1
	// simulated: failed though executed: 0
	// 03:04:05 send 1 as order o-1, request r-1
	// 03:04:35 answer: timeout
	// 03:04:35 it is unknown, network_error, in doubt: query_status in 2s
	// 03:09:00 webhook: 0
	// 03:09:00 it is executed, success: mark_succeeded
	// 03:09:00 end: succeeded (the provider proved it)
}
