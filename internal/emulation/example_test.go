package emulation_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// The 40-then-41 trap: each refusal is evidence that the first request arrived, and under a
// third identity the money moves a second time.
func ExamplePayment() {
	catalogs, err := providers.Builtin()
	if err != nil {
		panic(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		panic(err)
	}
	p := policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
	fate := emulation.Fate{Executes: true, Settles: time.Minute} // not final at once
	payment, _ := emulation.NewPayment(momo, p, fate, false, rand.New(rand.NewPCG(1, 2)))

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	payment.Arrive(at, "o-1", "r-1") // and the answer is lost
	fmt.Println("the same again:", payment.Arrive(at.Add(30*time.Second), "o-1", "r-1").Code)
	fmt.Println("a new requestId:", payment.Arrive(at.Add(40*time.Second), "o-1", "r-2").Code)
	payment.Arrive(at.Add(50*time.Second), "o-2", "r-3") // a new orderId
	fmt.Println("executions:", len(payment.Ledger(at.Add(time.Hour))))
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
	plan, err := emulation.ReadPlan("faults.toml", []byte(`
[[fault]]
kind = "drop_response"
nth  = 1
`))
	if err != nil {
		panic(err)
	}
	provider := emulation.NewProvider(momo, &emulation.Options{Plan: plan, Seed: 1})

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pay := providers.Request{
		Operations: []policy.Operation{policy.Pay}, OrderID: "o-1", RequestID: "r-1", Amount: 120_000, Currency: "VND",
	}
	first := provider.Call(at, pay)
	fmt.Println(first.Answer.Fault, "after", first.ReceivedAt.Sub(at))
	again := provider.Call(first.ReceivedAt, pay)
	fmt.Println("the same again:", again.Answer.Code, again.Answer.Message)
	fmt.Println("executions:", len(provider.Ledger(again.ReceivedAt)))
	// Output:
	// timeout after 30s
	// the same again: 9000 success
	// executions: 1
}
