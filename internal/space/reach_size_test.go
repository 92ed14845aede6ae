package space

import (
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
)

func TestX(t *testing.T) {
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range e.Catalogs.Names() {
		cat, _ := e.Catalogs.Get(n)
		at := time.Now()
		r := Reachable(cat, MayBeAbsent{policy.Pay: true})
		c := map[How]int{}
		for _, x := range r {
			c[x.How]++
		}
		t.Log(n, len(r), c, time.Since(at))
	}
}
