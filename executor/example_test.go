package executor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// shop is a client for MoMo, written plainly.
type shop struct{ url string }

func (s shop) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return s.post(ctx, "/v2/gateway/api/tokenization/pay",
		fmt.Sprintf(`{"orderId":%q,"requestId":%q,"amount":%d}`, a.OrderID, a.RequestID, a.Payment.Amount))
}

func (s shop) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return s.post(ctx, "/v2/gateway/api/query", fmt.Sprintf(`{"orderId":%q,"requestId":%q}`, a.OrderID, a.QueryID))
}

func (s shop) post(ctx context.Context, path, body string) (executor.Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return executor.Reply{}, err
	}
	return executor.Call(http.DefaultClient, req)
}

func Example() {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"orderId":"cart-77","requestId":"r-1","amount":120000,"transId":4088878653,"resultCode":0,"message":"ok"}`)
	}))
	defer provider.Close()
	rules, err := engine.Open("") // the defaults, or a folder of your rules
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, &executor.Config{
		NewRequestID: func(*policy.Payment) string { return "r-1" }, // for the example's sake
	})
	if err != nil {
		panic(err)
	}
	defer x.Close(context.Background())

	result, err := x.Do(context.Background(), executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120_000, Currency: "VND"},
		OrderID: "cart-77",
	}, shop{provider.URL})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Outcome, "-", result.Reason)
	// Output: succeeded - the provider proved it
}

// A schedule of the rules, for a call that is no payment.
func ExampleRetry() {
	schedule := &policy.Schedule{Name: "file", InitialInterval: time.Millisecond, Multiplier: 2, MaxInterval: 10 * time.Millisecond}
	b := executor.NewBackOff(context.Background(), schedule, &executor.BackOffOptions{MaxAttempts: 5})
	calls := 0
	err := executor.Retry(b, func() error {
		if calls++; calls < 3 {
			return errors.New("the settlement file is not there yet")
		}
		return nil
	})
	fmt.Println(calls, err)
	// Output: 3 <nil>
}
