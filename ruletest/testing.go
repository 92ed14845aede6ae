package ruletest

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
)

// Run opens a folder of rules and runs the tests in it. Each is a subtest of t, named after its
// file and its name. A mistake in the rules or the tests, or a folder without tests, ends t
// with t.Fatal.
func Run(t *testing.T, dir string) {
	t.Helper()
	e, err := ruleset.Open(dir)
	if err = errors.Join(err, ruleset.Unread(dir)); err != nil {
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
