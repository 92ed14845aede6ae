package ruletest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/ruletest"
)

// The tests of the folder use every form that a test may take; each must pass.
func TestRunMakesEachCaseASubtest(t *testing.T) {
	ruletest.Run(t, "../internal/ruletest/testdata/rules")
}
