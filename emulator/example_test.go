package emulator_test

import (
	"fmt"
	"math/rand/v2"
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
