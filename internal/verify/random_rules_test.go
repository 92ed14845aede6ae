package verify

import (
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/policy"
)

// someRules makes a merchant's contract and rules, as likely wrong as right.
func someRules(r draw.Rand) string {
	var b strings.Builder
	fmt.Fprintln(&b, "description = \"random\"\n\n[limits]")
	fmt.Fprintf(&b, "max_attempts = %d\nmax_queries = %d\nmax_elapsed = %q\n\n[contract]\n", draw.One(r, 1, 2, 3), draw.One(r, 1, 2, 5), draw.One(r, "1h", "26h"))
	queryBy := draw.One(r, `[]`, `["order_id"]`, `["order_id"]`, `["request_id"]`, `["provider_id"]`, `["provider_id", "order_id"]`, `["request_id", "provider_id"]`)
	fmt.Fprintf(&b, "query_by = %s\nwebhook = %v\n", queryBy, r.IntN(2) == 0)
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "dedupe = [%q]\ndedupe_window = %q\nreplay = %q\n", draw.One(r, "request_id", "order_id"), draw.One(r, "30m", "2h", "744h"), draw.One(r, "first_result", "rejected"))
	}
	if r.IntN(2) == 0 && queryBy != `[]` {
		fmt.Fprintf(&b, "not_found_after = %q\n", draw.One(r, "10m", "1h"))
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "arrival_grace = %q\n", draw.One(r, "1m", "20m"))
	}
	for i := range 1 + r.IntN(4) {
		when := someWhen(r)
		fmt.Fprintf(&b, "\n[[rule]]\nid = \"some-%d\"\nwhen = '%s'\nthen = %q\n", i, when, draw.One(r, policy.All[policy.Action]()...).String())
	}
	return b.String()
}

// someWhen makes a condition.
func someWhen(r draw.Rand) string {
	when := draw.One(r,
		`effect == "not_executed"`, `effect == "unknown"`, `effect == "pending"`, `effect == "executed"`,
		`class == "not_found"`, `class == "network_error"`, `class == "issuer_declined"`, `class == "maintenance"`,
		`class == "conflict"`, `class == "mismatch"`, `phase == "query"`, `phase == "webhook"`, `fault == "not_sent"`)
	when += draw.One(r, ``, ` && !in_doubt`, ` && !in_doubt`, ` && in_doubt`)
	when += draw.One(r, ``, ` && fired < 1`, ` && fired < 2`, ` && attempt == 1`, ` && attempt > 1`, ` && attempt in [2, 3]`, ` && queries < 2`, ` && queries > 0`,
		` && queries == 2`, ` && fired == 1`, ` && (attempt > 1 ? queries == 1 : fired == 0)`, ` && elapsed >= duration("1h")`,
		` && elapsed < duration("20m")`, ` && elapsed >= duration("2h")`, ` && stage == "result"`, ` && code == "NO"`)
	return when
}
