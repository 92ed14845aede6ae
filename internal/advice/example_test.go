package advice_test

import (
	"fmt"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// A question is a line of JSON, as `recourse decide` reads it.
func Example() {
	e, err := ruleset.Open("")
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := advice.Read([]byte(`{"provider":"momo","operation":"pay","code":41,"in_doubt":true,"at":"2026-01-05T12:00:00Z"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := advice.Ask(e, q)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := a.Decision()
	fmt.Println(d.Action, "by", d.Rule, "because", d.Reason)
	t := e.Explain(&a.Situation)
	fmt.Println(t.Rules[0].ID, "does not hold:", advice.Blame(&t.Rules[0].Condition))
	// Output:
	// query_status by momo-in-flight because a duplicate is evidence that the first request arrived
	// momo-lost does not hold: [phase == "query" class == "not_found"]
}
