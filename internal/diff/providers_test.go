package diff_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

func compared(t *testing.T, before, after string, only ...string) *diff.Report {
	t.Helper()
	opened := func(text string) *ruleset.Engine {
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": text}))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	r, err := diff.Run(t.Context(), opened(before), opened(after), diff.Options{Providers: only})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// where lists the providers of all changes.
func where(r *diff.Report) string {
	var all []string
	for _, c := range r.Changes {
		if s := strings.Join(all, " "); !strings.Contains(s, c.Provider) {
			all = append(all, c.Provider)
		}
	}
	return strings.Join(all, " ")
}

const eager = "[[rule]]\nid = \"eager\"\nwhen = 'fault == \"timeout\"'\nthen = \"retry_new_request\"\n"

// A merchant's rules are compared where it takes payments, or where it is asked for.
func TestOnlyUsedOrNamedProvidersAreCompared(t *testing.T) {
	uses := "[merchant]\nproviders = [\"momo\"]\n"
	if got := where(compared(t, "", eager)); len(strings.Fields(got)) != 6 {
		t.Errorf("everywhere: changes at %s", got)
	}
	if got := where(compared(t, uses, uses+eager)); got != "momo" {
		t.Errorf("at its own: changes at %s", got)
	}
	if got := where(compared(t, "", eager, "opi")); got != "opi" {
		t.Errorf("at opi: changes at %s", got)
	}
}

// What a merchant uses is a term like any other: more is riskier.
func TestUsedProvidersAreTerms(t *testing.T) {
	uses := "[merchant]\nproviders = [\"momo\"]\n"
	for _, tt := range []struct {
		before, after string
		risk          diff.Risk
	}{{uses, "", diff.Riskier}, {"", uses, diff.Safer}} {
		r := compared(t, tt.before, tt.after)
		n := 0
		for _, term := range r.Terms {
			if term.What == "merchant.providers" && term.Risk == tt.risk && term.Provider != "momo" && strings.Join(term.Merchants, "") == "acme" {
				n++
			}
		}
		if n != 5 || len(r.Terms) != 5 {
			t.Errorf("%q to %q: %d of the terms %+v", tt.before, tt.after, n, r.Terms)
		}
	}
}

// A merchant that moves to another deployment meets other facts, and another contract: the change says so, as
// does a change of a deployment that only some merchants chose.
func TestAMerchantsDeploymentIsCompared(t *testing.T) {
	const acme = `
name = "acme"
operations = ["pay"]
[contract]
query_by = ["order_id"]
[[decode]]
code = "rc"
[[code]]
code = "X"
class = "success"
facts = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
[deployment.south.contract]
timeout = "7s"
[[deployment.south.code]]
code = "X"
class = "processing"
facts = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "EFFECT", stage = "result" }]
`
	opened := func(merchant, effect string) *ruleset.Engine {
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/acme.toml": strings.ReplaceAll(acme, "EFFECT", effect), "merchants/isla.toml": merchant, "merchants/plain.toml": "description = \"x\""}))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	const south, north = "[contract]\ndeployment = { acme = \"south\" }", "description = \"y\""
	for _, tt := range []struct {
		name          string
		before, after *ruleset.Engine
		changes       bool
		terms         bool
	}{
		{"the merchant moves", opened(north, "pending"), opened(south, "pending"), true, true},
		{"its deployment says another thing", opened(south, "pending"), opened(south, "unknown"), true, false},
		{"a deployment that no merchant chose says another thing", opened(north, "pending"), opened(north, "unknown"), false, false},
		{"nothing changes", opened(south, "pending"), opened(south, "pending"), false, false},
	} {
		r, err := diff.Run(t.Context(), tt.before, tt.after, diff.Options{Providers: []string{"acme"}})
		if err != nil {
			t.Fatal(err)
		}
		if changed := len(r.Changes)+len(r.Facts) > 0; changed != tt.changes || (len(r.Terms) > 0) != tt.terms {
			t.Errorf("%s: %d changes, %d facts, %d terms", tt.name, len(r.Changes), len(r.Facts), len(r.Terms))
		}
	}
}
