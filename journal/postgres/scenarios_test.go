package postgres

import (
	"testing"

	"github.com/recourse-pay/recourse/internal/scenarios"
)

// Three processes on one database, and each payment and webhook at any of them.
func TestScenarios(t *testing.T) {
	a := opened(t, Options{})
	b, c := opened(t, Options{Schema: a.opts.Schema}), opened(t, Options{Schema: a.opts.Schema})
	scenarios.Check(t, scenarios.Run(t, a, b, c))
	for _, j := range []*Journal{a, b, c} {
		closed(t, j)
	}
}
