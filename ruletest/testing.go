package ruletest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

// Run tests a folder of rules with the tests in it, each a subtest named after its file and
// itself. It is for a Go team that keeps one test command. Mistakes in rules or tests end t.
func Run(t *testing.T, dir string) {
	t.Helper()
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := ruletest.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	suites, err := ruletest.Read(e, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		name, err := filepath.Rel(dir, s.File)
		if err != nil {
			name = s.File
		}
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			for _, c := range s.Cases {
				t.Run(c.Name, func(t *testing.T) {
					r := c.Run(e)
					if r.Passed() {
						return
					}
					var why strings.Builder
					r.Explain(&why, e)
					t.Error("\n" + why.String())
				})
			}
		})
	}
}
