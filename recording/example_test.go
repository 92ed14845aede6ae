package recording_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/recording"
)

// A recorder is an observer of the executor. The executor calls it for every call to a provider, as
// this example does for one.
func Example() {
	r := recording.New(os.Stdout, &recording.Options{Keep: []string{"loyaltyId"}})

	payment := &policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Amount: 120000, Currency: "VND"}
	call := &executor.CallEvent{
		Flow: "f-1", Payment: payment, Phase: policy.Send, Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Attempt: &executor.Attempt{OrderID: "o-1", RequestID: "r-1", Number: 1},
	}
	ctx := r.Calling(context.Background(), call)
	call.End = call.Start.Add(850 * time.Millisecond)
	call.Reply = executor.Reply{HTTPStatus: 200, Body: []byte(`{"orderId":"o-1","amount":120000,"resultCode":0,"loyaltyId":"L-9","cardNo":"4111111111111111","signature":"c2VjcmV0"}`)}
	call.Answer = policy.Answer{Phase: policy.Send, HTTPStatus: 200, Code: "0"}
	r.Called(ctx, call)

	if err := r.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"v":1,"flow":"f-1","at":"2026-01-02T03:04:05.000Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","order_id":"o-1","request_id":"r-1","amount":120000,"currency":"VND","capture":"auto","latency_ms":850,"http_status":200,"body":{"orderId":"o-1","amount":120000,"resultCode":0,"loyaltyId":"L-9"}}
}
