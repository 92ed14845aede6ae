package diff

import (
	"context"
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// The rules of 4 merchants against those of 40, ten of each template, with what is shared and without.
func BenchmarkManyMerchants(b *testing.B) {
	folder := func(n int, later bool) *ruleset.Engine {
		files, some := draw.Merchants(1000, later), map[string]string{}
		for m := range n {
			name := fmt.Sprintf("merchants/m%04d.toml", m%4+m/4*100)
			some[name] = files[name]
		}
		e, err := ruleset.Open(testkit.Dir(b, some))
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	before, after := folder(4, false), folder(40, true)
	for _, plain := range []bool{false, true} {
		b.Run(map[bool]string{false: "shared", true: "each alone, the plain twin"}[plain], func(b *testing.B) {
			for b.Loop() {
				d := newDiffer(before, after)
				d.plain = plain
				if _, err := d.run(context.Background(), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
