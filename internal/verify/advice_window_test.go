package verify_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
)

const brook = `name       = "brook"
operations = ["refund"]

[contract.refund]
dedupe        = ["request_id"]
dedupe_window = "24h"
replay        = "first_result"
arrival_grace = "5m"

[[code]]
code  = "0"
class = "success"
facts = [{ operation = "refund", phase = "send", effect = "executed", stage = "result" }]
`

const repeats = "[[rule]]\nid = \"again\"\nwhen = 'fault == \"timeout\" && in_doubt'\nthen = \"retry_same_request\"\n"

// A window that is over before the flow is: the message has every number with its place, and what it proposes is enough.
func TestWindowShorterThanTheFlow(t *testing.T) {
	why := func(acme string) (whole string, dir string) {
		dir = testkit.Dir(t, map[string]string{"providers/brook.toml": brook, "merchants/acme.toml": acme})
		r := run(t, dir, &verify.Options{Providers: []string{"brook"}, Merchants: []string{"acme"}})
		for _, p := range r.Products {
			for k := range p.Violations {
				if v := &p.Violations[k]; v.Property == verify.S5 {
					return testkit.Relative(v.Why, dir), dir
				}
			}
		}
		if !r.Holds {
			t.Errorf("it fails without S5: %+v", r.Products)
		}
		return "", dir
	}
	got, _ := why(repeats)
	want := `the rules want retry_same_request, which S1 forbids; the dedupe window is over before the flow is: dedupe_window is 24h (providers/brook.toml:6:17); ` +
		`less the call's timeout of 30s (by default) and arrival_grace of 5m (providers/brook.toml:8:17), a repeat in doubt is safe for 23h54m30s after the first send, ` +
		`and max_elapsed is 26h (rules/baseline.toml:7:19); write max_elapsed = "23h54m", or dedupe_window longer than 26h5m30s if the provider promises that`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, _ := why("[limits]\nmax_elapsed = \"23h54m\"\n" + repeats); got != "" {
		t.Errorf("with the proposed limit: %s", got)
	}
	if testkit.Short() {
		return
	}
	got, _ = why("[limits.refund]\nmax_elapsed = \"30h\"\n[contract]\ndedupe_window = \"20m\"\n" + repeats)
	if !strings.Contains(got, `dedupe_window is 20m (merchants/acme.toml:4:17)`) || !strings.Contains(got, `max_elapsed is 30h (merchants/acme.toml:2:15)`) ||
		!strings.Contains(got, `write max_elapsed = "14m"`) {
		t.Errorf("of the merchant's own lines: %s", got)
	}
	// Another reason than the window is not blamed on it.
	if got, _ = why(strings.Replace(repeats, "retry_same_request", "retry_new_request", 1)); got == "" || strings.Contains(got, "window") {
		t.Errorf("a new request: %s", got)
	}
}

const creek = `name       = "creek"
operations = ["pay"]

[contract]
query_by        = ["order_id"]
webhook         = true
dedupe          = ["request_id"]
dedupe_window   = "30m"
replay          = "rejected"
not_found_after = "2h"
arrival_grace   = "20m"

[[code]]
code  = "PAID"
class = "success"
facts = [{ operation = "pay", phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]

[[code]]
code  = "NO"
class = "issuer_declined"
facts = [{ operation = "pay", phase = ["send", "query", "webhook"], effect = "not_executed", stage = "result" }]
`

// The default rules repeat what was refused for certain, however late. A refusal after that covers both copies while the provider still
// dedupes them, and at no event does the flow take that time for longer than the provider did when the repeat was sent.
func TestAWindowThatIsOverBeforeTheFlowIsProved(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{"providers/creek.toml": creek, "merchants/acme.toml": "[limits]\nmax_attempts = 2\nmax_queries = 2\nmax_elapsed = \"1h\"\n"})
	if r := run(t, dir, &verify.Options{Providers: []string{"creek"}, Merchants: []string{"acme"}}); !r.Holds {
		t.Errorf("it does not hold: %+v", r.Products[0].Violations)
	}
}
