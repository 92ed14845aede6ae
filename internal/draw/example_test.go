package draw_test

import (
	"fmt"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/draw"
)

func Example() {
	e, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	r := draw.From(1)
	sit := draw.Of(e).One(r)
	fmt.Println(e.Decide(&sit).Rule != "")
	// Output: true
}
