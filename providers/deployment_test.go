package providers_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const placed = `
name        = "acme"
operations  = ["pay"]
currency    = "USD"
amount_unit = "minor"

[contract.pay]
query_by = ["order_id"]

[webhook]
signature    = "header:X-Sign"
signed       = "body"
acknowledged = 200

[[decode]]
status   = "state"
order_id = "ref"
amount   = "sum"

[[status]]
status = "DONE"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query"], effect = "executed", stage = "result" }]

[deployment.south]
title       = "Acme, the south"
currency    = "IDR"
amount_unit = "major"

[deployment.south.contract.pay]
timeout = "5s"

[deployment.south.webhook]
signature    = "header:X-South"
signed       = "body"
acknowledged = 204

[[deployment.south.decode]]
status = "status"

[[deployment.south.status]]
status = "DONE"
class  = "processing"
facts  = [{ operation = ["pay"], phase = ["send", "query"], effect = "pending", stage = "result" }]

[[deployment.south.status]]
status = "SELESAI"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query"], effect = "executed", stage = "result" }]
`

func placedCatalogs(t *testing.T, more ...string) *providers.Catalogs {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range append([]string{placed}, more...) {
		if err := cs.Add(string(rune('a'+i))+".toml", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return cs
}

// effectOf is what a body proves of a payment.
func effectOf(t *testing.T, c *providers.Catalog, body string) (policy.Effect, policy.Answer) {
	t.Helper()
	a := policy.Answer{}
	if err := c.Decode(policy.Pay, policy.Query, []byte(body), &a); err != nil {
		t.Fatal(err)
	}
	return c.Judge(&policy.Payment{Operation: policy.Pay}, &a).Effect, a
}

func TestADeploymentSpeaksOtherwise(t *testing.T) {
	c, err := placedCatalogs(t).Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	south, ok := c.Deployment("south")
	if !ok || len(c.Deployments()) != 1 {
		t.Fatalf("deployments: %q", c.Deployments())
	}
	if e, a := effectOf(t, c, `{"state":"DONE","ref":"o-1","sum":1200}`); e != policy.Executed || a.Amount != 1200 {
		t.Errorf("the provider's own: %s, %+v", e, a)
	}
	for body, want := range map[string]policy.Effect{
		`{"status":"DONE","ref":"o-1","sum":12}`:    policy.Pending,
		`{"status":"SELESAI","ref":"o-1","sum":12}`: policy.Executed,
		`{"state":"SELESAI","ref":"o-1","sum":12}`:  policy.Unknown, // another place
	} {
		if e, a := effectOf(t, south, body); e != want || a.OrderID != "o-1" || a.Amount != 1200 {
			t.Errorf("%s: %s, %+v", body, e, a)
		}
	}
	if e, _ := effectOf(t, c, `{"state":"SELESAI","ref":"o-1","sum":1}`); e != policy.Unknown {
		t.Errorf("the provider's own knows a word of its deployment: %s", e)
	}
	if p := south.Contract(policy.Pay); p.Timeout == 0 || len(p.QueryBy) != 1 || c.Contract(policy.Pay).Timeout != 0 {
		t.Errorf("its contract is %+v", p)
	}
	own, _ := c.Webhook()
	there, _ := south.Webhook()
	if !own.Acknowledged(200, nil) || own.Acknowledged(204, nil) || !there.Acknowledged(204, nil) || there.Acknowledged(200, nil) {
		t.Error("the acknowledgements are mixed up")
	}
	if south.Title != "Acme, the south" || south.Name != "acme" || south.Digest() == c.Digest() {
		t.Errorf("%q, %q", south.Title, south.Name)
	}
	if _, ok := c.Deployment("north"); ok {
		t.Error("there is no north")
	}
}

// What a file lays over a provider its deployments have as well, beneath what they say themselves.
func TestAnExtensionReachesDeployments(t *testing.T) {
	const more = `
name = "acme"
[[status]]
status = "GONE"
class  = "expired"
facts  = [{ operation = ["pay"], phase = ["query"], effect = "not_executed", stage = "result" }]
[[status]]
status = "DONE"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["query"], effect = "unknown", stage = "result" }]
[deployment.north]
currency = "EUR"
[[deployment.south.status]]
status = "BATAL"
class  = "cancelled"
facts  = [{ operation = ["pay"], phase = ["query"], effect = "not_executed", stage = "result" }]
`
	before := placedCatalogs(t)
	old, _ := before.Get("acme")
	cs := placedCatalogs(t, more)
	c, err := cs.Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Deployments(), " "); got != "north south" {
		t.Fatalf("deployments: %s", got)
	}
	south, _ := c.Deployment("south")
	for status, want := range map[string]policy.Effect{"GONE": policy.NotExecuted, "BATAL": policy.NotExecuted, "SELESAI": policy.Executed, "DONE": policy.Pending} {
		if e, _ := effectOf(t, south, `{"status":"`+status+`","ref":"o-1","sum":12}`); e != want {
			t.Errorf("%s proves %s, want %s", status, e, want)
		}
	}
	if c.Digest() == old.Digest() {
		t.Error("the digest is the old one")
	}
}

func TestMistakesOfDeployments(t *testing.T) {
	for _, tt := range []struct{ add, want string }{
		{"[deployment.south]\noperations = ['refund']", `unknown key "operations"`},
		{"[deployment.south]\nname = 'other'", `unknown key "name"`},
		{"[deployment.south.deployment.deep]\ncurrency = 'USD'", `unknown key "deployment"`},
		{"[deployment.south]\ncurrency = 'XXQ'", "is no currency"},
		{"deployment = 1", "must be a table"},
		{"deployment = { south = 1 }", "must be a table"},
		{"[[deployment.south.code]]\ncode = 'A'", "needs at least one fact"},
		{"[[deployment.south.status]]\nstatus = 'DONE'\nfacts = [{ operation = ['pay'], phase = ['query'], effect = 'executed', stage = 'result', basis = 'x' }]", "basis"},
	} {
		cs, err := providers.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		err = cs.Add("x.toml", []byte("name = 'x'\noperations = ['pay']\n"+tt.add))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "x.toml:") {
			t.Errorf("%s: %v; want %s", tt.add, err, tt.want)
		}
	}
}
