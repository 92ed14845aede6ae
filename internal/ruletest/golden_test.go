package ruletest_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

var opened = sync.OnceValues(func() (*ruleset.Engine, error) { return ruleset.OpenFS(testkit.Door) })

// defaults returns the engine with the embedded rules, and a code of MoMo's that refuses at the door.
func defaults(t testing.TB) *ruleset.Engine {
	t.Helper()
	e, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// golden runs each archive that matches, and compares the result with its part want.
func golden(t *testing.T, pattern string, got func(t *testing.T, file ruletest.File) string) {
	t.Helper()
	cases, err := filepath.Glob(pattern)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%s: %v, %v", pattern, cases, err)
	}
	for _, name := range cases {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := testkit.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.TrimRight(got(t, ruletest.File{Name: a.Files[0].Name, Data: a.Files[0].Data}), "\n") + "\n"
			testkit.Golden(t, name, a, "want", said)
		})
	}
}

// Each archive in testdata/mistakes holds a test file with mistakes and their messages.
func TestMistakes(t *testing.T) {
	golden(t, "testdata/mistakes/*.txtar", func(t *testing.T, f ruletest.File) string {
		suites, err := ruletest.Read(defaults(t), []ruletest.File{f})
		if err == nil {
			t.Fatalf("it is read: %d suites", len(suites))
		}
		return err.Error()
	})
}

// Each archive in testdata/failures holds a test file whose tests fail and their explanation.
func TestFailuresExplainThemselves(t *testing.T) {
	golden(t, "testdata/failures/*.txtar", func(t *testing.T, f ruletest.File) string {
		suites, err := ruletest.Read(defaults(t), []ruletest.File{f})
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for _, c := range suites[0].Cases {
			r := c.Run(defaults(t))
			if r.Passed() {
				t.Errorf("%s passes", c.Name)
			}
			said.WriteString("== " + c.Name + "\n")
			r.Explain(&said, defaults(t))
		}
		return said.String()
	})
}
