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
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// People look at flows and settle them on a port of their own.
func ExampleExecutor_AdminHandler() {
	rules, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, &executor.Config{Journal: journal.NewMemory()})
	if err != nil {
		panic(err)
	}
	defer x.Close(context.Background())
	internal := httptest.NewServer(x.AdminHandler()) // in a service: http.ListenAndServe("127.0.0.1:9090", …)
	defer internal.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // how long the shopper waits
	defer cancel()
	_, err = x.Do(ctx, executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120_000, Currency: "VND"},
		OrderID: "cart-77",
	}, silentShop{})
	var pending *executor.PendingError // it may have executed: the flow goes on and queries
	if !errors.As(err, &pending) {
		panic(err)
	}
	answer, err := http.Post(internal.URL+"/flows/"+pending.Flow+"/resolve", "application/json", strings.NewReader(
		`{"order_id":"cart-77","effect":"executed","who":"ann","why":"it stands in the settlement file of today"}`))
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	h, err := x.Handle(context.Background(), pending.Flow)
	if err != nil {
		panic(err)
	}
	result, err := h.Wait(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Status)
	fmt.Println(result.Outcome, "-", result.Reason)
	// Output:
	// 200 OK
	// succeeded - resolved by ann: it stands in the settlement file of today
}

// silentShop is a client whose provider never answers.
type silentShop struct{}

func (silentShop) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}

func (silentShop) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}
