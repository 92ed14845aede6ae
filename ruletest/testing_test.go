package ruletest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/ruletest"
)

// The folder has tests of every form; each of them must pass.
func TestRunMakesEachCaseASubtest(t *testing.T) {
	ruletest.Run(t, "../internal/ruletest/testdata/rules")
}
