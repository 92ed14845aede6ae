package verify_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A proposal that is pasted in the place of the condition, as it is printed, is enough: the rule is proved, also where && binds
// closer than what joins the old condition.
func TestProposalsCanBePasted(t *testing.T) {
	o := &verify.Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Payout}, Merchants: []string{"acme"}}
	for i, when := range []string{
		`when = 'class == "merchant_balance" || class == "limit_exceeded"'`,
		`when = '!(class != "merchant_balance")'`,
		`when = 'attempt > 1 ? class == "merchant_balance" : class == "limit_exceeded"'`,
		"when = '''\nclass == \"merchant_balance\"\n|| class == \"limit_exceeded\" // both\n'''",
	} {
		if i >= testkit.Size(1, 2, 4) {
			return
		}
		rule := func(when string) string {
			return "[[rule]]\nid = \"again\"\n" + when + "\nthen = \"retry_new_order\"\nreason = \"may be topped up\"\n"
		}
		r := run(t, folder(t, rule(when)), o)
		fix := ""
		for _, p := range r.Products {
			for k := range p.Violations {
				fix = p.Violations[k].Fix
			}
		}
		_, pasted, ok := strings.Cut(fix, "\n")
		if !ok || r.Holds {
			t.Errorf("%s: holds %t, and the proposal is %q", when, r.Holds, fix)
			continue
		}
		verdict := *o
		verdict.VerdictOnly = true
		if r := run(t, folder(t, rule(pasted)), &verdict); !r.Holds {
			t.Errorf("%s: with\n%s\nit does not hold", when, pasted)
		}
	}
}
