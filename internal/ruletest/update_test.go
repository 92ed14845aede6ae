package ruletest_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruletest"
)

const outdated = "\ufeff# what we want\r\nprovider  = \"momo\"\noperation = \"pay\"   # everywhere\n\n" + `[[decision]]
name   = "one"
given  = { answer = "1001" }   # no money
expect = { action = 'escalate', rule = "disputed",     in_doubt = true } # not so

[[each]]
cases = [
  # a comment within
  ["0", "mark_succeeded", "executed"],
  ["10", "mark_failed", "failed"],   # closed
]

[[flow]]
name   = "two"
script = ["send: timeout", "query: 0"]
expect = [
  "send",
  "failed",   # never
]
rules  = ["executed"]
`

// An update replaces the expected values by the results, and changes nothing else.
func TestUpdate(t *testing.T) {
	e := defaults(t)
	file := ruletest.File{Name: "x.test.toml", Data: []byte(outdated)}
	run := func(f ruletest.File) (results []ruletest.Result, failed int) {
		suites, err := ruletest.Read(e, []ruletest.File{f})
		if err != nil {
			t.Fatalf("%v\n%s", err, f.Data)
		}
		for _, c := range suites[0].Cases {
			r := c.Run(e)
			if !r.Passed() {
				failed++
			}
			results = append(results, r)
		}
		return results, failed
	}
	results, failed := run(file)
	if failed != 3 {
		t.Fatalf("%d tests fail, want 3", failed)
	}
	edits := ruletest.Edits(results)[file.Name]
	file.Data = ruletest.Apply(file, edits)
	if _, failed = run(file); failed > 0 {
		t.Errorf("%d tests fail after the update\n%s", failed, file.Data)
	}
	want := strings.NewReplacer(
		"'escalate'", `"mark_failed"`, `"disputed"`, `"failed"`, "in_doubt = true", "in_doubt = false",
		`"mark_failed", "failed"],   # closed`, `"retry_new_request", "closed"],   # closed`,
		"  \"failed\",   # never", "  \"query\",\n  \"succeeded\",   # never",
		`["executed"]`, `["in-doubt", "executed"]`,
	).Replace(outdated)
	if string(file.Data) != want {
		t.Errorf("written\n%s\nwant\n%s", file.Data, want)
	}
	if got := edits[0].String(); got != `x.test.toml:8:21: 'escalate' -> "mark_failed"` && !strings.HasPrefix(got, "x.test.toml:") {
		t.Errorf("shown as %s", got)
	}
}
