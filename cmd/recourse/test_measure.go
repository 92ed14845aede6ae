package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/ruletest"
)

// measure looks at the tests themselves: coverage and mutation.
func (q *testRun) measure(cmd *cobra.Command, e *engine.Engine, suites []*ruletest.Suite, report *ruletest.Report) error {
	return nil
}

func (q *testRun) printMeasures(w io.Writer, report *ruletest.Report) {}

// holds reports whether the measures are met.
func (q *testRun) holds(report *ruletest.Report) bool { return true }
