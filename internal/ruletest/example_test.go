package ruletest_test

import (
	"fmt"
	"os"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

// A failed test shows what was expected, what was decided, and why.
func Example() {
	e, err := ruleset.Open("") // or a folder of rules
	if err != nil {
		fmt.Println(err)
		return
	}
	suites, err := ruletest.Read(e, []ruletest.File{{Name: "momo.test.toml", Data: []byte(`
provider = "momo"

[[decision]]
name   = "a duplicate in doubt is sent again"
given  = { operation = "pay", answer = "41", in_doubt = true }
expect = { action = "retry_new_order" }

[[flow]]
name    = "silence, then found paid"
payment = { operation = "pay" }
script  = ["send: timeout", "query: 0"]
expect  = ["send", "query", "succeeded"]
`)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range suites[0].Cases {
		r := c.Run(e)
		fmt.Printf("%s: passed %t\n", c.Name, r.Passed())
		for _, f := range r.Failures {
			fmt.Fprintf(os.Stdout, "  %s: %s\n", f.Pos, &f)
		}
	}
	// Output:
	// a duplicate in doubt is sent again: passed false
	//   momo.test.toml:7:21: expected action retry_new_order, got query_status
	// silence, then found paid: passed true
}
