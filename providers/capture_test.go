package providers_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const oneWord = `name = "acme"
currency = "EUR"
amount_unit = "minor"
operations = ["pay", "capture"]

[[decode]]
status   = "state"
order_id = "order"
amount   = "sum"
carries  = ["order_id", "amount"]

[[status]]
status = "OK"
class = "success"
description = "Taken, or held."
facts = [
`

// A word that is sound for one capture proves nothing of a payment that is captured otherwise.
func TestFactsOfOneCapture(t *testing.T) {
	const auto = `{ operation = ["pay"], phase = ["query"], capture = "auto", effect = "executed", stage = "result" },`
	const manual = `{ operation = ["pay"], phase = ["query"], capture = ["manual"], effect = "executed", class = "authorized", stage = "result" },`
	const both = `{ operation = ["pay"], phase = ["query"], effect = "executed", class = "authorized", stage = "result" },`
	for _, tt := range []struct {
		facts        string
		auto, manual policy.Effect
	}{
		{auto, policy.Executed, policy.Unknown},
		{manual, policy.Unknown, policy.Executed},
		{auto + manual, policy.Executed, policy.Executed},
		{both, policy.Pending, policy.Executed},
		{strings.Replace(auto, `"auto"`, `["auto", "manual"]`, 1), policy.Executed, policy.Executed},
	} {
		c, err := with(t, "acme.toml", oneWord+tt.facts+"]").Get("acme")
		if err != nil {
			t.Fatal(err)
		}
		for mode, want := range map[policy.CaptureMode]policy.Effect{policy.Auto: tt.auto, policy.Manual: tt.manual} {
			a := policy.Answer{Phase: policy.Query, Status: "OK"}
			if f := c.Judge(&policy.Payment{Operation: policy.Pay, Capture: mode}, &a); f.Effect != want {
				t.Errorf("%s: %s, want %s of\n%s", mode, f.Effect, want, tt.facts)
			}
		}
	}
}

// What an answer has to carry counts for both captures: the reader does not know that of the payment.
func TestNamelessAnswerOfOneCapture(t *testing.T) {
	for _, mode := range policy.All[policy.CaptureMode]() {
		c, err := with(t, "acme.toml", oneWord+`{ operation = ["pay"], phase = ["query"], capture = "`+mode.String()+`", effect = "executed", stage = "result" }]`).Get("acme")
		if err != nil {
			t.Fatal(err)
		}
		a := policy.Answer{Currency: "EUR"}
		if err := c.Decode(policy.Pay, policy.Query, []byte(`{"state":"OK"}`), &a); err != nil || a.SetAside == "" {
			t.Errorf("%s: %v, %+v", mode, err, a)
		}
		a = policy.Answer{Currency: "EUR"}
		if err := c.Decode(policy.Pay, policy.Query, []byte(`{"state":"OK","order":"o","sum":0}`), &a); err != nil || a.Amount != policy.OddAmount {
			t.Errorf("%s: %v, %+v", mode, err, a)
		}
	}
}

// A user's fact for one capture leaves what is said of the other.
func TestFactOfOneCaptureExtends(t *testing.T) {
	c, err := with(t, "own.toml", `name = "momo"
[[code]]
code = "9000"
class = "authorized"
description = "Held, as our contract says."
facts = [{ operation = ["pay"], phase = ["query"], capture = "auto", effect = "pending", stage = "result", because = "our contract" }]
`).Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	a := policy.Answer{Phase: policy.Query, Code: "9000"}
	if f := c.Judge(&policy.Payment{Operation: policy.Pay}, &a); f.Effect != policy.Pending {
		t.Errorf("auto: %s", f.Effect)
	}
	if why := strings.Join(c.Because(&policy.Payment{Operation: policy.Pay}, &a), "\n"); !strings.Contains(why, "our contract") {
		t.Error(why)
	}
}

// What the key cannot mean is refused, each mistake once.
func TestMistakesOfCapture(t *testing.T) {
	for _, tt := range []struct{ fact, want string }{
		{`{ operation = ["capture"], phase = ["query"], capture = "auto", effect = "executed", stage = "result" }`,
			`acme.toml:17:57: capture: only a pay or a checkout is captured by itself or by hand; name those operations, or leave capture out`},
		{`{ operation = ["pay"], phase = ["query"], capture = "auto", effect = "executed", class = "authorized", stage = "result" }`,
			`acme.toml:17:70: pay, query: a hold is not the end of a payment that is captured by itself; its class is success if the money was taken`},
		{`{ operation = ["pay"], phase = ["query"], capture = "later", effect = "executed", stage = "result" }`, `acme.toml:17:53: unknown capture "later" (there are: auto, manual)`},
		{`{ operation = ["pay"], phase = ["query"], capture = [], effect = "executed", stage = "result" }`, `acme.toml:17:53: capture is an empty list; name at least one, or leave the key out`},
		{`{ operation = ["pay"], phase = ["query"], effect = "executed", stage = "result" }, { operation = ["pay"], phase = ["query"], effect = "pending", stage = "result" }`,
			`acme.toml:12:3: status "OK" says two things of pay, query`},
		{`{ operation = ["pay"], phase = ["query"], effect = "executed", stage = "result" }, { operation = ["pay"], phase = ["query"], capture = "manual", effect = "pending", stage = "result" }`,
			`acme.toml:12:3: status "OK" says two things of pay, query`},
	} {
		cs, err := providers.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		if err := cs.Add("acme.toml", []byte(oneWord+tt.fact+"]\n")); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n%v, want\n%s", tt.fact, err, tt.want)
		}
	}
}

// A success that a sub-status tells from a hold is found where it leaves the capture out.
func TestASuccessThatCanBeAHoldIsFound(t *testing.T) {
	c, err := with(t, "own.toml", `name = "shopline"
[[status]]
status = "SUCCEEDED"
class = "success"
description = "It succeeded."
facts = [{ operation = ["checkout", "pay"], phase = ["query", "webhook"], effect = "executed", stage = "result", because = "as before" }]
`).Get("shopline")
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range []string{"pay query either capture", "pay webhook either capture", "checkout query either capture", "checkout webhook either capture"} {
		if line := gaps(c)[gap]; line != `capture = "auto"` {
			t.Errorf("%s: the line is %q", gap, line)
		}
	}
}

// What SHOPLINE calls a success without a sub-status was taken only where the payment captures itself.
func TestShoplineSuccessWithoutSubStatus(t *testing.T) {
	c := catalog(t, "shopline")
	for mode, want := range map[policy.CaptureMode]policy.Class{policy.Auto: policy.Success, policy.Manual: policy.Authorized} {
		for _, op := range []policy.Operation{policy.Pay, policy.Checkout} {
			f := c.Judge(&policy.Payment{Operation: op, Capture: mode}, &policy.Answer{Phase: policy.Webhook, Status: "SUCCEEDED"})
			if f.Effect != policy.Executed || f.Class != want {
				t.Errorf("%s, %s: %s, %s", op, mode, f.Effect, f.Class)
			}
		}
	}
}
