package executor_test

import (
	"context"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// says is a provider that says the same to everything.
type says string

func (s says) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Body: []byte(s)}, nil
}

func (s says) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Body: []byte(s)}, nil
}

// The same body is one thing to a merchant of one deployment and another to a merchant of the next, be it an
// answer or a webhook.
func TestAnswersAreReadByTheMerchantsDeployment(t *testing.T) {
	rules, err := engine.Open(testkit.Dir(t, map[string]string{
		"providers/acme.toml": `
name        = "acme"
operations  = ["pay"]
currency    = "USD"
amount_unit = "minor"
[contract]
query_by = ["order_id"]
webhook  = true
[[decode]]
status   = "state"
order_id = "ref"
amount   = "sum"
[[status]]
status = "OK"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
[[status]]
status = "NO"
class  = "issuer_declined"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "not_executed", stage = "result" }]
[deployment.south]
amount_unit = "major"
[[deployment.south.status]]
status = "OK"
class  = "issuer_declined"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "not_executed", stage = "result" }]
[[deployment.south.status]]
status = "NO"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
`,
		"baseline.toml": `
[[rule]]
id     = "failed"
when   = 'effect == "not_executed" && !in_doubt'
then   = "mark_failed"
reason = "it was refused"
[[rule]]
id     = "paid"
when   = 'effect == "executed" && class == "success"'
then   = "mark_succeeded"
reason = "it was paid"
[[rule]]
id     = "else"
when   = "true"
then   = "escalate"
reason = "a person looks"
`,
		"merchants/north.toml": "description = \"without a choice\"",
		"merchants/south.toml": "[contract]\ndeployment = { acme = \"south\" }",
	}))
	if err != nil {
		t.Fatal(err)
	}
	x, err := executor.New(rules, &executor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close(context.Background())
	for _, tt := range []struct {
		merchant, state, sum string
		want                 policy.Outcome
	}{
		{"north", "OK", "500", policy.Succeeded}, {"north", "NO", "500", policy.Failed}, {"north", "OK", "5", policy.Escalated},
		{"south", "OK", "5", policy.Failed}, {"south", "NO", "5", policy.Succeeded}, {"south", "NO", "500", policy.Escalated},
	} {
		order := tt.merchant + "-" + tt.state + "-" + tt.sum
		r, err := x.Do(t.Context(), executor.Request{
			Payment: policy.Payment{Provider: "acme", Merchant: tt.merchant, Operation: policy.Pay, Key: order, Amount: 500, Currency: "USD"}, OrderID: order,
		}, says(`{"state":"`+tt.state+`","ref":"`+order+`","sum":`+tt.sum+`}`))
		if err != nil || r.Outcome != tt.want {
			t.Errorf("%s: %s, %v, want %s: %s", order, r.Outcome, err, tt.want, r.Reason)
		}
	}
}
