package ruletest_test

import (
	"os"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/ruletest"
)

// The folder has tests of every form; each of them must pass.
func TestRunMakesEachCaseASubtest(t *testing.T) {
	dir := testkit.Dir(t, testkit.WithDoor(nil))
	if err := os.CopyFS(dir, os.DirFS("../internal/ruletest/testdata/rules")); err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t, dir)
}
