package verify_test

import (
	"context"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
)

// Two merchants with the same rules are two products where their provider says different things to them.
func TestRulesAreProvedByTheMerchantsDeployment(t *testing.T) {
	e := open(t, testkit.Dir(t, map[string]string{
		"providers/acme.toml": `
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
[deployment.south]
[[deployment.south.code]]
code = "X"
class = "processing"
facts = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "unknown", stage = "result" }]
`,
		"merchants/plain.toml":    "description = \"as all others\"",
		"merchants/southern.toml": "[contract]\ndeployment = { acme = \"south\" }",
	}))
	r, err := verify.Run(context.Background(), e, &verify.Options{Providers: []string{"acme"}, Merchants: []string{"plain", "southern"}})
	if err != nil || len(r.Products) != 2 || !r.Holds {
		t.Fatalf("%d products (%v): merchants at different deployments are not alike", len(r.Products), err)
	}
	for i, facts := range []int{3, 0} {
		if got := r.Products[i].Covered.Facts; got != facts {
			t.Errorf("%s: the proof rests on %d facts, want %d", r.Products[i].Merchants, got, facts)
		}
	}
}
