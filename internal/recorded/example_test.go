package recorded_test

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

func ExampleLine() {
	l := recorded.Line{
		Flow: "f-1", At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Phase: recorded.Send,
		Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Amount: 120000, Currency: "VND"},
		OrderID: "o-1", RequestID: "r-1", Latency: 30 * time.Second, Answer: policy.Answer{Fault: policy.Timeout},
	}
	fmt.Print(string(l.Append(nil)))
	// Output: {"v":1,"flow":"f-1","at":"2026-11-22T08:00:00.000Z","phase":"send","provider":"momo","merchant":"acme","operation":"pay","order_id":"o-1","request_id":"r-1","amount":120000,"currency":"VND","capture":"auto","latency_ms":30000,"fault":"timeout"}
}
