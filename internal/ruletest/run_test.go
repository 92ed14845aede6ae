package ruletest_test

import (
	"strings"
	"testing"
)

const unsafeRules = `
[[rule]]
id   = "again"
when = 'fault == "timeout"'
then = "retry_new_request"
`

const unsafeTests = `
provider  = "momo"
operation = "pay"

[[decision]]
name   = "believes that the rules may ask"
given  = { fault = "timeout" }
expect = { action = "query_status", rule = "again" }

[[decision]]
name   = "knows that they must not"
given  = { fault = "timeout" }
expect = { action = "query_status", rule = "again", wants = "retry_new_request", interlock = "S1" }

[[decision]]
name   = "expects it where it is not needed"
given  = { answer = "0" }
expect = { action = "mark_succeeded", interlock = "S1" }

[[flow]]
name   = "believes it of a story"
script = ["send: timeout", "query: 0"]
expect = ["send", "query", "succeeded"]

[[flow]]
name      = "knows it of a story"
script    = ["send: timeout", "query: 0"]
expect    = ["send", "query", "succeeded"]
interlock = "S1"
`

// A test fails when the interlock had to correct the rules, unless it expects that.
func TestRulesMustBeSafeByThemselves(t *testing.T) {
	e, suites, _ := folder(t, map[string]string{"merchants/acme.toml": unsafeRules, "merchants/acme.test.toml": unsafeTests})
	for _, c := range suites[0].Cases {
		r := c.Run(e)
		if want := strings.HasPrefix(c.Name, "knows"); r.Passed() != want {
			t.Errorf("%s: passed %t, want %t: %v", c.Name, r.Passed(), want, r.Failures)
		}
		if !r.Passed() && (len(r.Failures) != 1 || !strings.Contains(r.Failures[0].String(), "interlock")) {
			t.Errorf("%s fails for another reason: %v", c.Name, r.Failures)
		}
	}
}
