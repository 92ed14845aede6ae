package verify_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A small provider: one code of each effect.
const small = `
name = "small"
operations = ["refund"]
[contract]
query_by = ["order_id"]
webhook = true
[[decode]]
code = "rc"
[[code]]
code = "OK"
class = "success"
facts = [{ operation = ["refund"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
[[code]]
code = "NO"
class = "insufficient_funds"
facts = [{ operation = ["refund"], phase = ["send", "query", "webhook"], effect = "not_executed", stage = "result" }]
[[code]]
code = "GO"
class = "processing"
facts = [{ operation = ["refund"], phase = ["send", "query", "webhook"], effect = "pending", stage = "result" }]
`

// unproved verifies the merchants of a folder together, and lists those that are not proved.
func unproved(t *testing.T, dir string, merchants []string, k *verify.Known) []string {
	t.Helper()
	r, err := verify.Run(context.Background(), open(t, dir), &verify.Options{
		Providers: []string{"small"}, Operations: []policy.Operation{policy.Refund}, Merchants: merchants, VerdictOnly: true, FirstOnly: true, Known: k,
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range r.Products {
		if p := &r.Products[i]; !p.Holds {
			names = append(names, p.Merchants...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A proof that counts is one of the merchant's own limits: others that have the same rules, or the same contract, may reach
// a count that it never reaches.
func TestMerchantsAreProvedByTheirOwnLimits(t *testing.T) {
	const late = "[[rule]]\nid = \"late\"\nwhen = 'queries > 3 && phase == \"query\" && in_doubt && effect != \"executed\"'\nthen = \"mark_failed\"\n"
	limits := func(queries string) string { return "[limits]\nmax_attempts = 1\nmax_queries = " + queries + "\n" }
	for name, files := range map[string]map[string]string{
		"the same rules": {"small.toml": late, "merchants/few.toml": limits("3"), "merchants/many.toml": limits("4")},
		"each its own":   {"merchants/few.toml": limits("3") + late, "merchants/many.toml": limits("4") + late},
	} {
		t.Run(name, func(t *testing.T) {
			files["providers/small.toml"] = small
			dir := testkit.Dir(t, files)
			for _, order := range [][]string{{"few", "many"}, {"many", "few"}} {
				if got := unproved(t, dir, order, nil); !slices.Equal(got, []string{"many"}) {
					t.Errorf("%v: not proved are %v, want many alone", order, got)
				}
			}
		})
	}
}

// Whoever has no file is in one product with all others. A merchant whose file goes is in it from then on.
func TestAProofOfAllOthersNamesWhoTheyAre(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{
		"providers/small.toml": small,
		"small.toml":           "[[rule]]\nid = \"vip\"\nwhen = 'merchant == \"vip\" && in_doubt && effect == \"pending\"'\nthen = \"retry_new_order\"\n",
		"merchants/vip.toml":   "[[rule]]\nid = \"shield\"\nwhen = 'in_doubt && effect == \"pending\"'\nthen = \"query_status\"\n",
	})
	k, err := verify.OpenKnown(filepath.Join(t.TempDir(), "known.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := unproved(t, dir, nil, k); got != nil {
		t.Fatalf("with the file, not proved are %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "merchants", "vip.toml")); err != nil {
		t.Fatal(err)
	}
	if got := unproved(t, dir, nil, k); !slices.Equal(got, []string{""}) {
		t.Errorf("without it, not proved are %q, want all others", got)
	}
}
