package temporal_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/recourse-pay/recourse/durable/temporal"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// lossy is a client whose first request gets no answer. The provider has executed it.
type lossy struct{}

func (lossy) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}

func (lossy) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	body := fmt.Sprintf(`{"resultCode":0,"orderId":%q,"amount":%d}`, a.OrderID, a.Payment.Amount)
	return executor.Reply{HTTPStatus: 200, Body: []byte(body)}, nil
}

// In production Options.Client is a connection, the journal is journal/postgres, and the workers run:
//
//	for _, w := range driver.Workers(worker.Options{}) { w.Start() }
//	h, err := driver.Start(ctx, request)
//	result, err := h.Wait(ctx)
//
// Here the SDK's test environment stands for Temporal; it skips the waits.
func Example() {
	rules, err := engine.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	driver, err := temporal.New(temporal.Options{
		Rules:   []temporal.RuleSet{rules},
		Clients: map[string]executor.Client{"momo": lossy{}},
		Journal: journal.NewMemory(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	input, err := driver.Prepare(executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120000, Currency: "VND"},
		OrderID: "o-1001",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute) // a busy machine needs more than the suite gives
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	driver.Register(env)
	env.ExecuteWorkflow(temporal.Workflow, input)
	var result temporal.Result
	if err := env.GetWorkflowResult(&result); err != nil {
		fmt.Println(err)
		return
	}
	state, err := result.State()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, "after", state.Attempts, "send and", state.Queries, "query:", result.Reason)
	// Output: succeeded after 1 send and 1 query: the provider proved it
}
