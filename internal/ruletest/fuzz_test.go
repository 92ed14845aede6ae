package ruletest_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"

	"github.com/recourse-pay/recourse/internal/ruletest"
)

// FuzzRead: no test file makes the reader panic, and every mistake has its place. A file that
// is read can be run, explained and updated, and the updated file can be read again.
func FuzzRead(f *testing.F) {
	own, err := os.ReadFile("testdata/rules/merchants/acme.test.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(own))
	for _, pattern := range []string{"testdata/mistakes/*.txtar", "testdata/failures/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			a, err := testkit.ParseFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(a.Files[0].Data))
		}
	}
	e := defaults(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 || strings.Count(text, "*") > 8 {
			return // tables of all there is, many times over, are slow and no news
		}
		file := ruletest.File{Name: "f.test.toml", Data: []byte(text)}
		suites, err := ruletest.Read(e, []ruletest.File{file})
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, file.Name+":") {
					t.Fatalf("a mistake without a place: %s", line)
				}
			}
			return
		}
		var results []ruletest.Result
		for _, c := range suites[0].Cases {
			r := c.Run(e)
			r.Explain(io.Discard, e)
			if results = append(results, r); len(results) > 50 {
				break
			}
		}
		updated := ruletest.Apply(file, ruletest.Edits(results)[file.Name])
		if _, err := ruletest.Read(e, []ruletest.File{{Name: file.Name, Data: updated}}); err != nil {
			t.Fatalf("after the update: %v\n%s", err, updated)
		}
	})
}
