package executor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// cart is the payment of the examples.
var cart = executor.Request{
	Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77", Amount: 120_000, Currency: "VND"},
	OrderID: "cart-77", RequestID: "r-1",
}

// paidCart is the provider's message that it was paid, decoded.
var paidCart = &policy.Answer{Code: "0", OrderID: "cart-77", RequestID: "r-1", Amount: 120_000, Currency: "VND"}

// executorOf is an executor with the embedded rules.
func executorOf(c *executor.Config) *executor.Executor {
	rules, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, c)
	if err != nil {
		panic(err)
	}
	return x
}

// linkShop is a client whose provider answers with a link at which the shopper pays.
type linkShop struct{ silentShop }

func (linkShop) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{
		HTTPStatus: http.StatusOK, Answer: &policy.Answer{Code: "7000"}, // it is being processed
		Shopper: policy.ShopperAction{PayURL: "https://pay.example/t/77"},
	}, nil
}

// A payment that waits for a person: Start returns at once, Shopper has the link, and the provider's
// webhook ends the flow.
func ExampleExecutor_Start() {
	ctx := context.Background()
	x := executorOf(&executor.Config{Journal: journal.NewMemory()})
	defer x.Close(ctx)
	h, err := x.Start(ctx, cart, linkShop{})
	if err != nil {
		panic(err)
	}
	shopper, err := h.Shopper(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println("send the shopper to", shopper.PayURL)

	// In another goroutine, when the webhook comes:
	if err := x.Notify(ctx, executor.Webhook{Provider: "momo", Merchant: "acme", Answer: paidCart, Verified: true}); err != nil {
		panic(err)
	}
	result, err := h.Wait(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Outcome)
	// Output:
	// send the shopper to https://pay.example/t/77
	// succeeded
}

// The handler of a provider's webhooks. It answers 200 only when the journal has what was said.
func ExampleExecutor_Notify() {
	x := executorOf(&executor.Config{
		Journal: journal.NewMemory(),
		// In a service: the signature, by the catalogue's WebhookShape or by your own code.
		VerifyWebhook: func(_ context.Context, w *executor.Webhook) error {
			if w.Header.Get("X-Secret") != "s3cret" {
				return errors.New("the secret is wrong")
			}
			return nil
		},
	})
	defer x.Close(context.Background())
	receive := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 256<<10))
		if err == nil {
			err = x.Notify(r.Context(), executor.Webhook{Provider: "momo", Merchant: "acme", Header: r.Header, Body: body})
		}
		switch {
		case errors.Is(err, executor.ErrUnknownFlow):
			w.WriteHeader(http.StatusNotFound) // it names no flow of this journal
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable) // the provider sends it again
		}
	})
	answer := httptest.NewRecorder()
	receive.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/webhooks/momo", strings.NewReader(`{"orderId":"cart-12"}`)))
	fmt.Println(answer.Code)
	// Output: 404
}

// A process ends while a payment is in doubt, and the next one goes on: it sends nothing again.
func ExampleExecutor_Resume() {
	ctx := context.Background()
	flows := journal.NewMemory() // in a service: journal/sqlite, which outlives the process
	first := executorOf(&executor.Config{Journal: flows})
	if _, err := first.Start(ctx, cart, silentShop{}); err != nil {
		panic(err)
	}
	if err := first.Close(ctx); err != nil {
		panic(err)
	}

	next := executorOf(&executor.Config{Journal: flows, Clients: map[string]executor.Client{"momo": silentShop{}}})
	defer next.Close(ctx)
	n, err := next.Resume(ctx)
	fmt.Println(n, "flow goes on,", err)
	// Output: 1 flow goes on, <nil>
}

// The rules hand a payment to a person. OnEscalate is called until it returns nil; Resolve takes what the
// person found out.
func ExampleExecutor_Resolve() {
	ctx := context.Background()
	rules, err := engine.OpenFS(fstest.MapFS{"merchants/acme.toml": {Data: []byte(`
[[rule]]
id     = "ask-ann"
when   = 'fault == "timeout"'
then   = "escalate"
reason = "Ann looks at every silence"
`)}})
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, &executor.Config{
		Journal: journal.NewMemory(),
		OnEscalate: func(_ context.Context, r *executor.Result) error {
			fmt.Println("for a person:", r.Reason) // in a service: a ticket, with r.Story()
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	defer x.Close(ctx)
	result, err := x.Do(ctx, cart, silentShop{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Outcome)
	found := executor.Resolution{
		OrderID: "cart-77", Effect: policy.NotExecuted, Who: "ann", Why: "not in the settlement file of 2 March",
	}
	if err := x.Resolve(ctx, result.Flow, found); err != nil {
		panic(err)
	}
	h, err := x.Handle(ctx, result.Flow)
	if err != nil {
		panic(err)
	}
	fmt.Println(h.State().Outcome)
	// Output:
	// for a person: Ann looks at every silence
	// escalated
	// failed
}

// Code that makes its own calls is watched. After a silence it sends again under another order, and its
// customer pays twice.
func ExampleExecutor_Shadow() {
	ctx := context.Background()
	x := executorOf(nil)
	defer x.Close(ctx)
	watched, err := x.Shadow(cart)
	if err != nil {
		panic(err)
	}
	called := watched.Sending(ctx, "cart-77", "r-1")
	advice := called(executor.Reply{}, context.DeadlineExceeded) // what the code got
	fmt.Println("Recourse would", advice.Verdict.Action)

	called = watched.Sending(ctx, "cart-77-again", "r-2")
	called(executor.Reply{HTTPStatus: http.StatusOK, Answer: &policy.Answer{Code: "0"}}, nil)
	for _, objection := range watched.Ended(ctx, policy.Succeeded) {
		fmt.Println(objection)
	}
	// Output:
	// Recourse would query_status
	// sent as order cart-77-again, request r-2: an earlier request may still execute (S1)
}

// A service ends: no call begins any more, calls under way have a while, and the journal is closed last.
func ExampleExecutor_Close() {
	flows := journal.NewMemory()
	x := executorOf(&executor.Config{Journal: flows})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	stop() // in a service: <-ctx.Done() waits for the signal
	<-ctx.Done()

	// The HTTP server that takes payments is shut down first. Then:
	while, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := x.Close(while); err != nil {
		fmt.Println("calls are still under way; the next process queries them:", err)
	}
	if err := flows.Close(); err != nil {
		fmt.Println("rows were lost:", err)
	}
	_, err := x.Start(context.Background(), cart, silentShop{})
	fmt.Println(errors.Is(err, executor.ErrClosed))
	// Output: true
}
