package emulator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// The 40-then-41 trap, played: each refusal is evidence that the first request arrived,
// and under a third name the money moves a second time.
func Example() {
	catalogs, err := providers.Builtin()
	if err != nil {
		panic(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		panic(err)
	}
	p := policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
	fate := emulator.Fate{Executes: true, Settles: time.Minute} // not final at once
	world, _ := emulator.New(momo, p, fate, false, rand.New(rand.NewPCG(1, 2)))

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	world.Arrive(at, "o-1", "r-1") // and the answer is lost
	fmt.Println("the same again:", world.Arrive(at.Add(30*time.Second), "o-1", "r-1").Code)
	fmt.Println("a new requestId:", world.Arrive(at.Add(40*time.Second), "o-1", "r-2").Code)
	world.Arrive(at.Add(50*time.Second), "o-2", "r-3") // a new orderId
	fmt.Println("executions:", len(world.Ledger(at.Add(time.Hour))))
	// Output:
	// the same again: 40
	// a new requestId: 41
	// executions: 2
}

// A provider that loses the answer to the first call of every order, in virtual time.
func ExampleProvider() {
	catalogs, err := providers.Builtin()
	if err != nil {
		panic(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		panic(err)
	}
	plan, err := emulator.ReadPlan("faults.toml", []byte(`
[[fault]]
kind = "drop_response"
nth  = 1
`))
	if err != nil {
		panic(err)
	}
	provider := emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 1})

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pay := providers.Request{
		Operations: []policy.Operation{policy.Pay}, OrderID: "o-1", RequestID: "r-1", Amount: 120_000, Currency: "VND",
	}
	first := provider.Call(at, pay)
	fmt.Println(first.Answer.Fault, "after", first.Heard.Sub(at))
	again := provider.Call(first.Heard, pay)
	fmt.Println("the same again:", again.Answer.Code, again.Answer.Message)
	fmt.Println("executions:", len(provider.Ledger(again.Heard)))
	// Output:
	// timeout after 30s
	// the same again: 0 success
	// executions: 1
}

// The same behind HTTP, where a client meets an answer that is no answer.
func ExampleServer() {
	catalogs, err := providers.Builtin()
	if err != nil {
		panic(err)
	}
	opi, err := catalogs.Get("opi")
	if err != nil {
		panic(err)
	}
	plan, err := emulator.ReadPlan("faults.toml", []byte(`
[[fault]]
kind   = "error_after"
orders = ["unlucky-*"]
`))
	if err != nil {
		panic(err)
	}
	provider := emulator.NewProvider(opi, &emulator.Options{Plan: plan})
	listener, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- emulator.NewServer(provider, nil).Serve(ctx, listener) }()

	payout := `{"appId":"a","sign":"s","param":"{\"mchOrderId\":\"unlucky-1\",\"idempotencyId\":\"r-1\",\"amount\":5735}"}`
	response, err := http.Post("http://"+listener.Addr().String()+"/open-api/disbursement/transfer", "application/json", strings.NewReader(payout))
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	fmt.Println(response.Status)
	for _, x := range provider.Ledger(time.Now()) {
		fmt.Println("and yet executed:", x.Operation, x.OrderID, x.RequestID, x.Amount)
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// 502 Bad Gateway
	// and yet executed: payout unlucky-1 r-1 5735
	// <nil>
}
