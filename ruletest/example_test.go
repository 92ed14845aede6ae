package ruletest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/ruletest"
)

// A test of your own that runs every NAME.test.toml of a folder, each as a subtest.
func ExampleRun() {
	TestRules := func(t *testing.T) { ruletest.Run(t, "rules") }
	_ = TestRules // in your file: func TestRules(t *testing.T) { ... }
}
