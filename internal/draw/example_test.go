package draw_test

import (
	"fmt"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

func Example() {
	e, err := ruleset.Open("")
	if err != nil {
		panic(err)
	}
	r := draw.From(1)
	sit := draw.Of(e).One(r)
	fmt.Println(e.Decide(&sit).Rule != "")
	// Output: true
}
