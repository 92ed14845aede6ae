package check_test

import (
	"testing"

	"github.com/recourse-pay/recourse/engine"
)

func BenchmarkOpenTenThousandRules(b *testing.B) {
	dir := b.TempDir()
	if err := manyMerchants(dir, 1000, 10); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := engine.Open(dir); err != nil {
			b.Fatal(err)
		}
	}
}
