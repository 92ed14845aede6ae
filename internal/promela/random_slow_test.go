//go:build slow && !race

package promela_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/promela"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// apart are sets that verify alone refuses, and why. Of 300 no other is.
var apart = map[uint64]string{
	131: faults,
	213: faults,
	149: "the second request is executed with another amount; of Spin's only the first one can be",
}

const faults = "a rule wants a code of a call that failed; verify asks about such answers too, and Spin's table has none"

// Random rules over random small catalogues and contracts, as likely wrong as right. RECOURSE_SETS (300 takes half an hour) and RECOURSE_SEED choose others.
func TestSpinAgreesOnRandomSets(t *testing.T) {
	sets, first := 16, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("RECOURSE_SETS")); err == nil {
		sets = n
	}
	if n, err := strconv.ParseUint(os.Getenv("RECOURSE_SEED"), 10, 64); err == nil {
		first = n
	}
	var all []question
	for seed := first; seed < first+uint64(sets); seed++ {
		if why := apart[seed]; why != "" {
			t.Logf("set-%d is not compared: %s", seed, why)
			continue
		}
		r := draw.From(seed)
		name := fmt.Sprint("set-", seed)
		catalog, rules := someCatalog(r), someRules(r)
		for _, code := range []string{"NO", "NONE", "TWICE"} {
			if !strings.Contains(catalog, fmt.Sprintf("code = %q", code)) {
				rules = strings.ReplaceAll(rules, fmt.Sprintf("code == %q", code), `code == "PAID"`)
			}
		}
		all = append(all, ask(t, name, map[string]string{"providers/small.toml": catalog, "merchants/" + name + ".toml": rules}, false))
	}
	c := compare(t, all, 2, true)
	if c.broken == 0 || c.broken == len(all) || 8*c.counted > max(8, sets) {
		t.Errorf("of %d sets %d are broken and %d hold by counts alone: too few are compared", len(all), c.broken, c.counted)
	}
}

// A repeat that was sent within the dedupe window can arrive after it where the contract does not bound the arrival.
// It is then executed once more, with the interlock on.
func TestSpinFindsLateCopies(t *testing.T) {
	catalog := someCatalog(draw.From(3))
	rules := `description = "a window, and no arrival_grace"

[contract]
query_by = ["order_id"]
dedupe = ["request_id"]
dedupe_window = "30m"
replay = "first_result"
%s
[[rule]]
id = "again"
when = 'fault == "timeout" && attempt == 1'
then = "retry_same_request"
`
	unbounded := ask(t, "unbounded", map[string]string{"providers/small.toml": catalog, "merchants/unbounded.toml": fmt.Sprintf(rules, "")}, false)
	bounded := ask(t, "bounded", map[string]string{"providers/small.toml": catalog, "merchants/bounded.toml": fmt.Sprintf(rules, "arrival_grace = \"1m\"\n")}, false)
	p := build(t, nil, append(unbounded.worlds, bounded.worlds...))
	for i, want := range []bool{true, false} {
		got, _, ended := p.search(t, i, 2, mostTime)
		if got["S1"] != want || !ended {
			t.Errorf("table %d: [%v], to its end: %v; S1 is broken: want %v", i, got, ended, want)
		}
	}
}

// ask opens a folder and tabulates the rules of a merchant of the provider "small".
func ask(t *testing.T, merchant string, files map[string]string, distrust bool) question {
	t.Helper()
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatalf("%v\n%v", err, files)
	}
	q := question{engine: e, payment: policy.Payment{Provider: "small", Merchant: merchant, Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, distrust: distrust, files: files}
	w, err := promela.NewWorld(e, q.payment, distrust)
	if err != nil {
		t.Fatal(err)
	}
	q.worlds = []*promela.World{w}
	return q
}

// someCatalog makes a provider with a handful of codes.
func someCatalog(r draw.Rand) string {
	var b strings.Builder
	fmt.Fprint(&b, `name = "small"
title = "Small, a provider for tests"
currency = "VND"
amount_unit = "minor"
operations = ["pay"]
sources = ["a test"]

[contract]
timeout = "30s"

[[decode]]
code = "code"
order_id = "order"
request_id = "request"
provider_id = "id"
amount = "amount"
currency = "currency"

[[envelope]]
form = "code"
body = '{"code":"$code"}'
`)
	code := func(name, class, phases, effect, stage string) {
		fmt.Fprintf(&b, "\n[[code]]\ncode = %q\nclass = %q\ndescription = \"It is for a test.\"\nfacts = [{ operation = \"*\", phase = %s, effect = %q, stage = %q }]\n", name, class, phases, effect, stage)
	}
	every := `["send", "query", "webhook"]`
	code("PAID", "success", every, "executed", "result")
	if r.IntN(4) > 0 {
		code("WAIT", draw.One(r, "processing", "customer_action"), draw.One(r, every, `["send", "query"]`, `["send"]`), "pending", "result")
	}
	if r.IntN(5) > 0 {
		code("NO", draw.One(r, "issuer_declined", "insufficient_funds"), draw.One(r, every, every, `["send", "query"]`, `["webhook"]`), "not_executed", "result")
	}
	if r.IntN(2) > 0 {
		code("SHUT", draw.One(r, "maintenance", "rate_limited", "invalid_request"), `["send"]`, "not_executed", "door")
	}
	if r.IntN(3) > 0 {
		code("NONE", "not_found", `["query"]`, "unknown", draw.One(r, "result", "door"))
	}
	if r.IntN(3) == 0 {
		code("TWICE", draw.One(r, "duplicate_request", "duplicate_order", "conflict"), `["send"]`, "unknown", draw.One(r, "result", "door"))
	}
	if r.IntN(4) == 0 {
		code("BACK", "disputed", draw.One(r, every, `["webhook"]`), "executed", "result")
	}
	return b.String()
}

// someRules makes a merchant's contract and rules. Where a repeat is deduped the contract bounds the arrival of a
// request: TestSpinFindsLateCopies is about the contracts that do not.
func someRules(r draw.Rand) string {
	var b strings.Builder
	fmt.Fprintln(&b, "description = \"random\"\n\n[limits]")
	fmt.Fprintf(&b, "max_attempts = %d\nmax_queries = %d\nmax_elapsed = %q\n\n[contract]\n", draw.One(r, 1, 2, 3), draw.One(r, 1, 2), draw.One(r, "1h", "26h"))
	queryBy := draw.One(r, `[]`, `["order_id"]`, `["order_id"]`, `["request_id"]`, `["provider_id"]`, `["provider_id", "order_id"]`)
	fmt.Fprintf(&b, "query_by = %s\nwebhook = %v\n", queryBy, r.IntN(2) == 0)
	grace := r.IntN(3) == 0
	if r.IntN(5) < 2 {
		grace = true
		fmt.Fprintf(&b, "dedupe = [%q]\ndedupe_window = %q\nreplay = %q\n", draw.One(r, "request_id", "order_id"), draw.One(r, "30m", "2h", "744h"), draw.One(r, "first_result", "rejected"))
	}
	if r.IntN(3) == 0 && queryBy != `[]` {
		fmt.Fprintf(&b, "not_found_after = %q\n", draw.One(r, "10m", "1h"))
	}
	if grace {
		fmt.Fprintf(&b, "arrival_grace = %q\n", draw.One(r, "1m", "20m"))
	}
	for i := range 1 + r.IntN(4) {
		when := draw.One(r,
			`effect == "not_executed"`, `effect == "not_executed"`, `effect == "unknown"`, `effect == "pending"`, `effect == "executed"`,
			`class == "not_found"`, `class == "network_error"`, `class == "issuer_declined"`, `class == "maintenance"`,
			`class == "conflict"`, `class == "mismatch"`, `class == "disputed"`, `phase == "query"`, `phase == "webhook"`, `fault == "not_sent"`, `fault == "timeout"`,
			`code == "NO"`, `code == "NONE"`, `code == "TWICE"`, `http_status >= 500`)
		when += draw.One(r, ``, ` && !in_doubt`, ` && !in_doubt`, ` && !in_doubt`, ` && in_doubt`)
		when += draw.One(r, ``, ``, ` && effect == "not_executed"`, ` && fired < 1`, ` && fired < 2`, ` && attempt == 1`, ` && attempt > 1`, ` && queries < 2`, ` && queries > 0`,
			` && elapsed < duration("20m")`, ` && elapsed >= duration("2h")`, ` && stage == "result"`, ` && code == "NO"`)
		fmt.Fprintf(&b, "\n[[rule]]\nid = \"some-%d\"\nwhen = '%s'\nthen = %q\n", i, when, draw.One(r, policy.All[policy.Action]()...).String())
	}
	return b.String()
}
