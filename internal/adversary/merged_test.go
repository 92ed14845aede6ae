package adversary

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

const (
	byOrder  = "query_by = [\"order_id\"]\nwebhook = true\narrival_grace = \"20m\"\nnot_found_after = \"10m\"\n"
	byBoth   = "query_by = [\"request_id\", \"order_id\"]\nwebhook = true\narrival_grace = \"20m\"\nnot_found_after = \"10m\"\n"
	byTheirs = "query_by = [\"provider_id\", \"order_id\"]\nwebhook = true\narrival_grace = \"20m\"\nnot_found_after = \"10m\"\n"
	noGrace  = "query_by = [\"order_id\"]\nwebhook = true\nnot_found_after = \"10m\"\n"
	stored   = "query_by = [\"order_id\"]\nwebhook = true\ndedupe = [\"request_id\"]\ndedupe_window = \"744h\"\narrival_grace = \"1m\"\nreplay = \"first_result\"\n"
	answered = "query_by = [\"order_id\"]\nwebhook = true\ndedupe = [\"request_id\"]\ndedupe_window = \"744h\"\narrival_grace = \"1m\"\nreplay = \"rejected\"\n"
	bare     = "query_by = [\"order_id\"]\nwebhook = true\n"
)

func ruleText(id, when, then string) string {
	return fmt.Sprintf("[[rule]]\nid = %q\nwhen = '%s'\nthen = %q\n", id, when, then)
}

// again sends a second request of the order after a refusal that is sure.
var again = ruleText("again", `class == "issuer_declined" && effect == "not_executed" && !in_doubt && fired < 2`, "retry_new_request")

// limited are conditions in which neither answers nor shared rules are limited, or that hold for some counts.
var limited = []string{
	`amount > 5000`, `amount <= 5000`, `hour < 9`, `tags.tier == "gold"`, `attempt < 2`, `fired < 1`, `queries > 2`, `elapsed > duration("5m")`,
	`weekday == "monday"`, `currency == "VND"`, `message contains "x"`, `attempt + queries > 3`,
}

// harms are what rules must not do, and what is allowed in its place.
var harms = []struct{ name, contract, unsafe, does, safe, instead string }{
	{"new in doubt", bare, `effect == "unknown"`, "retry_new_request", `effect == "not_executed" && !in_doubt && phase == "send" && attempt < 3`, "retry_new_request"},
	{"disputed", bare, `class == "disputed"`, "mark_succeeded", `class == "disputed"`, "escalate"},
	{"repeated without dedupe", bare, `effect == "unknown" && phase == "send"`, "retry_same_request", `effect == "not_executed" && !in_doubt && stage == "door" && attempt < 3`, "retry_same_request"},
	{"not found is new", noGrace, `class == "not_found"`, "retry_new_request", `class == "not_found" && effect == "not_executed" && !in_doubt`, "retry_new_request"},
	{"part is paid", bare, `effect == "executed" && class in ["mismatch", "success"]`, "mark_succeeded", `effect == "executed" && class == "success"`, "mark_succeeded"},
	{"failed in doubt", byOrder, `class == "network_error"`, "mark_failed", `class == "network_error"`, "query_status"},
	{"not found by order", byOrder, `class == "not_found"`, "mark_failed", `class == "not_found" && effect == "not_executed" && !in_doubt`, "mark_failed"},
	{"not found by both", byBoth, `class == "not_found"`, "retry_new_order", `class == "not_found" && effect == "not_executed" && !in_doubt`, "retry_new_request"},
	{"refused repeat", answered, `effect in ["not_executed", "unknown"]`, "mark_failed", `effect == "not_executed" && !in_doubt`, "mark_failed"},
	{"stored repeat", stored, `class == "issuer_declined"`, "retry_new_request", `class == "issuer_declined" && effect == "not_executed" && !in_doubt`, "mark_failed"},
	{"late success of a dispute", byOrder, `effect == "executed"`, "mark_succeeded", `effect == "executed" && class != "disputed" && class != "mismatch"`, "mark_succeeded"},
	{"accepted", byOrder, `effect == "pending"`, "mark_succeeded", `effect == "pending"`, "query_status"},
	{"not found by their id", byTheirs, `class == "not_found" && effect == "unknown"`, "mark_failed", `class == "not_found" && effect == "not_executed" && !in_doubt`, "mark_failed"},
}

// One search for merchants with one contract says of each what a search of its own says, and no walk breaks what is proved. Every harm
// stands behind a limit that leaves a part of each answer's payments to the shared rules, or that counts.
func TestMergedTwins(t *testing.T) {
	court, err := os.ReadFile("../verify/testdata/mutation/providers/court.toml")
	if err != nil {
		t.Fatal(err)
	}
	files, unsafe := map[string]string{"providers/court.toml": string(court)}, map[string]bool{}
	for h := range testkit.Size(3, 3, len(harms)) {
		one := &harms[h]
		for l, limit := range limited {
			if (h+l)%testkit.Size(12, 12, 4) != 2 {
				continue
			}
			behind := []string{"", again}[l%2]
			bad, good := fmt.Sprintf("m%d-%d-unsafe", h, l), fmt.Sprintf("m%d-%d-safe", h, l)
			files["merchants/"+bad+".toml"] = "[contract]\n" + one.contract + ruleText("own", "("+one.unsafe+") && "+limit, one.does) + behind
			files["merchants/"+good+".toml"] = "[contract]\n" + one.contract + ruleText("own", "("+one.safe+") && "+limit, one.instead) + behind
			unsafe[bad], unsafe[good] = true, false
		}
	}
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(unsafe))
	together := refusedOf(t, e, names...)
	for i, name := range names {
		rules := files["merchants/"+name+".toml"]
		if alone := refusedOf(t, e, name); alone[name] != unsafe[name] || together[name] != unsafe[name] {
			t.Errorf("%s: unsafe %v; refused alone %v, together %v\n%s", name, unsafe[name], alone[name], together[name], rules)
		}
		if unsafe[name] {
			continue
		}
		p := product{"court", policy.Pay, name}
		if f, _, err := play(e, p, uint64(i), testkit.Size(1_000, 2_000, 20_000), newCoverage()); err != nil {
			t.Error(err)
		} else if f != nil {
			t.Errorf("%s is safe, and yet:\n%s", name, shorten(e, p, 1, f, 50_000).story(e))
		}
	}
}

// refusedOf verifies merchants at the court in one run, and says of each whether something was found.
func refusedOf(t *testing.T, e *ruleset.Engine, merchants ...string) map[string]bool {
	t.Helper()
	r, err := verify.Run(context.Background(), e, &verify.Options{
		VerdictOnly: true, FirstOnly: true, Providers: []string{"court"}, Operations: []policy.Operation{policy.Pay}, Merchants: merchants,
	})
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for i := range r.Products {
		p := &r.Products[i]
		if p.Unfinished != "" || p.Holds != (len(p.Violations) == 0) {
			t.Errorf("%v: holds %v with %d violations; %s", p.Merchants, p.Holds, len(p.Violations), p.Unfinished)
		}
		for _, m := range p.Merchants {
			refused[m] = !p.Holds
		}
	}
	if len(refused) != len(merchants) {
		t.Errorf("%d of %d merchants have a verdict", len(refused), len(merchants))
	}
	return refused
}
