package ruleset_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

const twoPlaces = `
name = "acme"
operations = ["pay"]
[[decode]]
code = "rc"
[[code]]
code = "X"
class = "issuer_declined"
facts = [{ operation = ["pay"], phase = ["send"], effect = "not_executed", stage = "result" }]
[deployment.south.contract.pay]
timeout = "7s"
[[deployment.south.code]]
code = "X"
class = "processing"
facts = [{ operation = ["pay"], phase = ["send"], effect = "unknown", stage = "result" }]
[[deployment.south.decode]]
code = "result"
`

func TestAMerchantMeetsADeployment(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{
		"providers/acme.toml":     twoPlaces,
		"merchants/southern.toml": "[contract]\ndeployment = { acme = \"south\" }",
		"merchants/plain.toml":    "description = \"x\"",
	})
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for merchant, want := range map[string]struct {
		body   string
		effect policy.Effect
		action policy.Action
	}{
		"southern": {`{"result":"X"}`, policy.Unknown, policy.QueryStatus}, "plain": {`{"rc":"X"}`, policy.NotExecuted, policy.MarkFailed}, "": {`{"rc":"X"}`, policy.NotExecuted, policy.MarkFailed},
	} {
		p := &policy.Payment{Provider: "acme", Merchant: merchant, Operation: policy.Pay}
		a, _, err := e.Read(p, policy.Send, &policy.Message{Body: []byte(want.body)})
		if err != nil || a.Code != "X" {
			t.Errorf("%s reads %+v (%v)", merchant, a, err)
		}
		f := e.Judge(p, &a)
		d := e.Decide(&policy.Situation{Payment: p, Answer: &a, Fact: f, InDoubt: f.Effect == policy.Unknown, Attempt: 1})
		if f.Effect != want.effect || d.Action != want.action && merchant != "southern" {
			t.Errorf("%s: %s, %s", merchant, f.Effect, d.Action)
		}
		if own := merchant == "southern"; (e.Terms(p).Contract.Timeout != 0) != own {
			t.Errorf("%s: its timeout is %s", merchant, e.Terms(p).Contract.Timeout)
		}
	}
	if n := len(e.CatalogsOf("acme", []string{"southern", "plain", "southern"})); n != 2 {
		t.Errorf("%d catalogues are in use", n)
	}
}

func TestMistakesOfAChoice(t *testing.T) {
	for line, want := range map[string]string{
		`deployment = { acme = "suoth" }`:  `m.toml:2:23: provider acme has no deployment "suoth"; did you mean "south"?`,
		`deployment = { acmee = "south" }`: `m.toml:2:24: unknown provider "acmee"; did you mean "acme"?`,
		`deployment = { momo = "south" }`:  `m.toml:2:23: provider momo has no deployments`,
		`deployment = { acme = "" }`:       `m.toml:2:23: the deployment of acme has no name`,
		`deployment = { acme = 1 }`:        `m.toml:2:23:`,
		`deployment = "south"`:             `m.toml:2:`,
	} {
		_, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/acme.toml": twoPlaces, "merchants/m.toml": "[contract]\n" + line}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", line, err, want)
		}
	}
}
