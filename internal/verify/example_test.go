package verify_test

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A merchant sends a refund anew when it was not answered in time.
func ExampleRun() {
	e, err := ruleset.Open("testdata/example")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := verify.Run(context.Background(), e, &verify.Options{
		Providers: []string{"opi"}, Merchants: []string{"hasty"}, Operations: []policy.Operation{policy.Refund},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := &r.Products[0].Violations[0]
	fmt.Println(r.Holds, v.Property, v.Rule, v.Harm)
	for _, s := range v.Story {
		fmt.Println("-", s.Happens)
	}
	// Output:
	// false S5 impatient S1
	// - the payment begins
	// - no answer in time (request 1 may have arrived, and may yet)
	// - the wait is over
	// - both requests arrive and are executed: the customer is charged twice
}
