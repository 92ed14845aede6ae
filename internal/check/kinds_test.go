package check_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"

	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

func TestMain(m *testing.M) { testkit.RunSearches(m) }

// Each archive in testdata holds a folder of rules and all findings in the files of that folder.
func TestKinds(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	found := map[check.Kind]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, err := testkit.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, file, a, "want", findings(t, a, found))
		})
	}
	for _, k := range check.Kinds() {
		if !found[k] {
			t.Errorf("no file of testdata shows %s", k)
		}
	}
}

func findings(t *testing.T, a *testkit.Archive, found map[check.Kind]bool) string {
	t.Helper()
	_, files := a.Take("want")
	dir := testkit.Dir(t, files)
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(context.Background(), e, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range report.Findings {
		f := &report.Findings[i]
		if f.Witness != nil {
			holds(t, e, f)
		}
		if !strings.HasPrefix(f.File, dir) && f.Kind != check.Shadowed {
			continue // of the defaults
		}
		found[f.Kind] = true
		fmt.Fprintf(&b, "%s: %s: %s: %s\n", f.Place, f.Severity, f.Kind, f.Message)
		if w := f.Witness; w != nil {
			fmt.Fprintf(&b, "    %s %s %s code %q: %s, %s -> %s %s\n", w.Input.Provider, w.Input.Operation, w.Input.Phase, w.Input.Code, w.Fact.Effect, w.Fact.Class, w.Action, w.Rule)
		}
	}
	return testkit.Relative(b.String(), dir)
}

// The shipped rules have no errors and no warnings.
func TestShippedRulesAreClean(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(context.Background(), e, check.Options{})
	if err != nil || !report.Holds(true) || !report.Complete {
		t.Errorf("%v: %d errors, %d warnings", err, report.Errors, report.Warnings)
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if f.Witness != nil {
			holds(t, e, f)
		}
	}
}

func ExampleRun() {
	e, err := ruleset.Open("testdata/example")
	if err != nil {
		panic(err)
	}
	report, err := check.Run(context.Background(), e, check.Options{})
	for _, f := range report.Findings {
		if f.Severity == check.Error {
			fmt.Println(f.Place, f.Kind, "of", f.Rule)
		}
	}
	fmt.Println(report.Holds(false), err)
	// Output:
	// testdata/example/momo.toml:9:9 dead of late-doubt
	// false <nil>
}
