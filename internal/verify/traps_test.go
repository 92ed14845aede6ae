//go:build !race

// Searching is one goroutine's work, and the race detector makes it ten times as long.

package verify_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// Each trap is a rules folder. Its comment says what to verify. Its last file holds the traces
// that must be found, each the shortest.
func TestTraps(t *testing.T) {
	files, err := filepath.Glob("testdata/traps/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no traps", err)
	}
	for _, file := range files {
		if long[filepath.Base(file)] > testkit.Size(0, 1, 2) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			trap, err := testkit.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, file, trap, "stories", strings.ReplaceAll(stories(t, trap), "\r", ""))
		})
	}
}

// long are the traps whose searches take seconds (1), and many of them (2): those are for the slow tier.
var long = map[string]int{
	"accepted-is-paid.txtar": 2, "dedupe.txtar": 1, "forty-forty-one.txtar": 2, "no-dedupe.txtar": 2, "not-found.txtar": 1,
	"queries-spent.txtar": 2, "timeout-new-order.txtar": 2, "timeout-new-request.txtar": 2, "webhook-after-a-mark.txtar": 2,
}

func stories(t *testing.T, trap *testkit.Archive) string {
	t.Helper()
	_, r, dir := verified(t, trap)
	var b bytes.Buffer
	fmt.Fprintln(&b, "holds:", r.Holds)
	for i := range r.Products {
		for k := range r.Products[i].Violations {
			r.Products[i].Violations[k].Write(&b)
		}
	}
	return testkit.Relative(b.String(), dir)
}
