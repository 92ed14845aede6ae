package verify_test

import (
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// The shipped merchants are in force beside a folder, too: what the folder changes for one of them is proved again. Where it changes
// nothing they are left out.
func TestShippedMerchantsBesideAFolder(t *testing.T) {
	bad := "[[rule]]\nid = \"bad\"\nwhen = 'merchant == \"swift-payouts\" && in_doubt'\nthen = \"mark_failed\"\n"
	for name, c := range map[string]struct {
		files  map[string]string
		listed bool
		holds  bool
	}{
		"a provider's rules":        {map[string]string{"opi.toml": "provider = \"opi\"\n\n" + bad}, true, false},
		"a merchant of the folder":  {map[string]string{"merchants/acme.toml": "description = \"acme\"\n"}, false, true},
		"another provider's rules":  {map[string]string{"momo.toml": "provider = \"momo\"\n"}, false, true},
		"an addition to catalogues": {map[string]string{"merchants/acme.toml": "description = \"acme\"\n", "providers/opi.toml": "name = \"opi\"\n"}, true, true},
	} {
		r := run(t, testkit.Dir(t, c.files), &verify.Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Payout}, VerdictOnly: true, FirstOnly: true})
		listed := slices.ContainsFunc(r.Products, func(p verify.Product) bool { return slices.Contains(p.Merchants, "swift-payouts") })
		if listed != c.listed || r.Holds != c.holds {
			t.Errorf("%s: it is listed %t, and all holds %t; want %t, %t", name, listed, r.Holds, c.listed, c.holds)
		}
	}
}

// A count within a choice that is greater than a state keeps is not proved by counting.
func TestManyFiringsWithinAChoice(t *testing.T) {
	text := `[limits]
max_attempts = 1
max_queries  = 3

[[rule]]
id   = "bad"
when = 'in_doubt && effect != "executed" && phase == "webhook" && (in_doubt ? fired >= 300 : false)'
then = "mark_failed"

[[rule]]
id   = "first"
when = 'in_doubt && effect != "executed" && phase == "webhook"'
then = "query_status"
`
	r := run(t, testkit.Dir(t, map[string]string{"merchants/acme.toml": text}), &verify.Options{
		Providers: []string{"opi"}, Operations: []policy.Operation{policy.Payout}, Merchants: []string{"acme"}, VerdictOnly: true, FirstOnly: true,
	})
	if r.Holds {
		t.Error("it is proved, and the 300th webhook marks the payment as failed")
	}
}
