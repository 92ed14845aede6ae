package ruletest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/internal/ruletest"
)

// Decision cases one after another, on one core. The result is cases/s.
func BenchmarkDecisionCases(b *testing.B) { benchmarkCases(b, ruletest.Each) }

// Whole flows in virtual time.
func BenchmarkFlows(b *testing.B) { benchmarkCases(b, ruletest.Flow) }

func benchmarkCases(b *testing.B, kind ruletest.Kind) {
	var cases []*ruletest.Case
	for _, s := range shipped(b) {
		for _, c := range s.Cases {
			if c.Kind == kind {
				cases = append(cases, c)
			}
		}
	}
	e := defaults(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if r := cases[n%len(cases)].Run(e); !r.Passed() {
			b.Fatal(r.Case.Name)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}
