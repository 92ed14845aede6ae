package providers_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// with loads the built-in catalogues and adds a file of the user's.
func with(t *testing.T, file, doc string) *providers.Catalogs {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := cs.Add(file, []byte(doc)); err != nil {
		t.Fatalf("%s is refused:\n%v", file, err)
	}
	return cs
}

// A fifth provider, of which no Go code knows: two layers of code, the inner one in a
// JSON string, statuses of its own, amounts in whole units.
const acme = `
name        = "acme"
title       = "Acme Pay"
currency    = "TWD"
amount_unit = "major"
operations  = ["pay", "refund", "payout"]
sources     = ["a test"]

[contract]
timeout  = "10s"
dedupe   = "order_id"
query_by = ["provider_id", "order_id"]

[contract.pay]
dedupe_window   = "24h"
replay          = "first_result"
webhook         = true
link_expiry     = "1h"
arrival_grace   = "2m"
not_found_after = "30m"

[contract.refund]
dedupe       = []
replay       = "rejected"
replay_codes = ["E_DUP"]

[contract.idempotent_key]
dedupe        = ["request_id"]
dedupe_window = "1h"
replay        = "first_result"

[[decode]]
code        = ["result.error.code", "head.rc"]
message     = "result.error.text"
status      = "result.state"
sub_status  = "result.step"
order_id    = "result.ref"
request_id  = "head.request"
provider_id = "result.id"
amount      = "result.money.value"
currency    = "result.money.unit"

[[decode]]
phase  = "webhook"
status = "event.state"

[[envelope]]
body = '{"head":{"rc":"$code","request":"$request_id"},"result":{"state":"$status","step":"$sub_status","ref":"$order_id","money":{"value":"$amount:number"}}}'

[[status]]
status = "DONE"
class = "success"
description = "It is done."
facts = [{ operation = "*", phase = ["send", "query", "webhook"], effect = "executed", stage = "result", basis = "documented" }]

[[status]]
status = "DONE"
sub_status = "HELD"
class = "authorized"
description = "It is held."
facts = [{ operation = "pay", phase = ["send", "query"], effect = "executed", stage = "result" }]

[[status]]
status = "DEAD"
class = "channel_error"
description = "It is over."
facts = [{ operation = "*", phase = ["send", "query"], effect = "not_executed", stage = "result" }]

[[code]]
code = "OK"
class = "processing"
envelope = true
description = "It was received."
facts = [{ operation = "*", phase = ["send", "query"], effect = "unknown", stage = "result" }]

[[code]]
code = "E_FUNDS"
class = "insufficient_funds"
final = "yes"
description = "There is no money."
facts = [
  { operation = "*", phase = "send", effect = "not_executed", stage = "door" },
  { operation = "payout", phase = "send", effect = "not_executed", class = "merchant_balance", stage = "door" },
]

[[code]]
code = "E_ODD"
class = "provider_error"
description = "It went wrong somewhere."
facts = [{ operation = "*", phase = ["send", "query"], effect = "unknown", stage = "result" }]
`

func TestAddedProviderDecodesAndJudges(t *testing.T) {
	c, err := with(t, "acme.toml", acme).Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		op     policy.Operation
		phase  policy.Phase
		body   string
		says   policy.Answer
		effect policy.Effect
		class  policy.Class
	}{
		{"done", pay, query, `{"head":{"rc":"OK"},"result":"{\"state\":\"DONE\",\"ref\":\"o-1\",\"id\":77,\"money\":{\"value\":\"1200.50\",\"unit\":\"TWD\"}}"}`,
			policy.Answer{Code: "OK", Status: "DONE", OrderID: "o-1", ProviderID: "77", Amount: 120050, Currency: "TWD"}, executed, policy.Success},
		{"held, to be taken by itself", pay, query, `{"result":{"state":"DONE","step":"HELD"}}`,
			policy.Answer{Status: "DONE", SubStatus: "HELD"}, pending, policy.Authorized},
		{"the inner code counts", pay, query, `{"head":{"rc":"OK"},"result":"{\"state\":\"DEAD\",\"error\":{\"code\":\"E_FUNDS\",\"text\":\"none\"}}"}`,
			policy.Answer{Code: "E_FUNDS", Status: "DEAD", Message: "none"}, notExecuted, policy.InsufficientFunds},
		{"a reason lowers", pay, query, `{"result":"{\"state\":\"DEAD\",\"error\":{\"code\":\"E_ODD\"}}"}`,
			policy.Answer{Code: "E_ODD", Status: "DEAD"}, unknown, policy.ProviderError},
		{"no inner code: the outer one", pay, send, `{"head":{"rc":"E_FUNDS","request":"r-1"},"result":null}`,
			policy.Answer{Code: "E_FUNDS", RequestID: "r-1"}, notExecuted, policy.InsufficientFunds},
		{"a named operation wins over *", payout, send, `{"head":{"rc":"E_FUNDS"}}`,
			policy.Answer{Code: "E_FUNDS"}, notExecuted, policy.MerchantBalance},
		{"a code without a fact for the phase", pay, webhook, `{"head":{"rc":"E_FUNDS"}}`,
			policy.Answer{Code: "E_FUNDS"}, unknown, policy.InsufficientFunds},
		{"the first block that names a field wins", pay, webhook, `{"event":{"state":"DEAD"},"result":{"state":"DONE"}}`,
			policy.Answer{Status: "DONE"}, executed, policy.Success},
		{"only received", refund, send, `{"head":{"rc":"OK"}}`, policy.Answer{Code: "OK"}, unknown, policy.Processing},
		{"an amount in the catalogue's currency", pay, send, `{"result":{"money":{"value":12.5}}}`, policy.Answer{Amount: 1250}, unknown, policy.Unrecognized},
		{"an amount in another", pay, send, `{"result":{"money":{"value":1200,"unit":"VND"}}}`,
			policy.Answer{Amount: 1200, Currency: "VND"}, unknown, policy.Unrecognized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a policy.Answer
			if err := c.Decode(tt.op, tt.phase, []byte(tt.body), &a); err != nil {
				t.Fatal(err)
			}
			tt.says.Phase = tt.phase
			if a != tt.says {
				t.Errorf("%s\nsays %+v\nwant %+v", tt.body, a, tt.says)
			}
			f := c.Judge(&policy.Payment{Provider: "acme", Operation: tt.op}, &a)
			if f.Effect != tt.effect || f.Class != tt.class {
				t.Errorf("proves %s, %s; want %s, %s", f.Effect, f.Class, tt.effect, tt.class)
			}
		})
	}
}

func TestAddedProviderContract(t *testing.T) {
	cs := with(t, "acme.toml", acme)
	c, _ := cs.Get("acme")
	common := policy.Contract{
		Dedupe: []policy.Identifier{policy.OrderID}, Timeout: 10 * time.Second,
		QueryBy: []policy.Identifier{policy.ProviderID, policy.OrderID},
	}
	paying := common
	paying.DedupeWindow, paying.Replay, paying.Webhook = 24*time.Hour, policy.FirstResult, true
	paying.LinkExpiry, paying.ArrivalGrace, paying.NotFoundAfter = time.Hour, 2*time.Minute, 30*time.Minute
	refunding := common
	refunding.Dedupe, refunding.Replay, refunding.ReplayCodes = nil, policy.Rejected, []string{"E_DUP"}
	keyed := refunding
	keyed.Dedupe, keyed.DedupeWindow = []policy.Identifier{policy.RequestID}, time.Hour
	keyed.Replay, keyed.ReplayCodes = policy.FirstResult, nil

	if got := c.Contract(payout); !reflect.DeepEqual(got, common) {
		t.Errorf("[contract] holds for every operation:\ngot  %+v\nwant %+v", got, common)
	}
	if got := c.Contract(pay); !reflect.DeepEqual(got, paying) {
		t.Errorf("[contract.pay] stands over [contract]:\ngot  %+v\nwant %+v", got, paying)
	}
	if got := c.Contract(refund); !reflect.DeepEqual(got, refunding) {
		t.Errorf("an empty list takes away:\ngot  %+v\nwant %+v", got, refunding)
	}
	if got, ok := c.WithIdempotencyKey(c.Contract(refund)); !ok || !reflect.DeepEqual(got, keyed) {
		t.Errorf("[contract.idempotent_key] stands over both:\ngot  %+v (%v)\nwant %+v", got, ok, keyed)
	}
	if c.Title != "Acme Pay" || c.Currency != "TWD" || len(c.Codes) != 3 || len(c.Statuses) != 3 || len(cs.Names()) != 7 {
		t.Errorf("the catalogue is %q, %q, with %d codes and %d statuses, among %v",
			c.Title, c.Currency, len(c.Codes), len(c.Statuses), cs.Names())
	}
}

func TestAddedProviderBodies(t *testing.T) {
	c, _ := with(t, "acme.toml", acme).Get("acme")
	tests := []struct {
		name   string
		answer policy.Answer
		want   string
	}{
		{"whole units with their decimals", policy.Answer{Code: "OK", Status: "DONE", OrderID: "o-1", Amount: 120005, Currency: "TWD"},
			`{"head":{"rc":"OK","request":null},"result":{"state":"DONE","step":null,"ref":"o-1","money":{"value":1200.05}}}`},
		{"units without decimals", policy.Answer{Amount: 1200, Currency: "VND"},
			`{"head":{"rc":null,"request":null},"result":{"state":null,"step":null,"ref":null,"money":{"value":1200}}}`},
		{"the catalogue's currency", policy.Answer{RequestID: `"r"`, Amount: 5},
			`{"head":{"rc":null,"request":"\"r\""},"result":{"state":null,"step":null,"ref":null,"money":{"value":0.05}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := c.Body(pay, &tt.answer, noon); !ok || string(got) != tt.want {
				t.Errorf("got  %s (%v)\nwant %s", got, ok, tt.want)
			}
		})
	}
}
