package verify_test

import (
	"context"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// BenchmarkShopline verifies one operation whose contract promises little.
func BenchmarkShopline(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	o := &verify.Options{Providers: []string{"shopline"}, Merchants: []string{""}, Operations: []policy.Operation{policy.Refund}, Workers: 1}
	runs := 0
	for b.Loop() {
		runs++
		r, err := verify.Run(context.Background(), e, o)
		if err != nil || !r.Holds {
			b.Fatal(err, r)
		}
		b.ReportMetric(float64(r.Products[0].Covered.Steps), "steps/op")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(runs)/float64(r.Products[0].Covered.Steps), "ns/step")
	}
}
