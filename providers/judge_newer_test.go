package providers_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// Codes that newer tables added: what each kind of text proves, and no more.
func TestNewerCodes(t *testing.T) {
	const auto = policy.Auto
	for provider, table := range map[string][]said{
		"momo": {
			{"21: an amount that is refused", pay, code(send, "21"), notExecuted, policy.InvalidAmount, auto},
			{"21 refuses a query", pay, code(query, "21"), unknown, policy.InvalidAmount, auto},
			{"45: an itemId twice may be an earlier order's", pay, code(send, "45"), unknown, policy.DuplicateRequest, auto},
			{"47: information that does not apply", refund, code(send, "47"), notExecuted, policy.InvalidRequest, auto},
			{"98: no QR code, and perhaps a link", checkout, code(send, "98"), unknown, policy.ProviderError, auto},
			{"1017: the merchant cancelled it", checkout, code(query, "1017"), notExecuted, policy.Cancelled, auto},
			{"1017 says nothing of a capture", capture, code(query, "1017"), unknown, policy.Conflict, auto},
			{"1088: this refund is declined", refund, code(query, "1088"), notExecuted, policy.Unsupported, auto},
			{"1088 says nothing of a payment", pay, code(query, "1088"), unknown, policy.Unsupported, auto},
			{"2019: another's group of orders", checkout, code(send, "2019"), notExecuted, policy.InvalidRequest, auto},
			{"4002: the payer is not verified", pay, code(webhook, "4002"), notExecuted, policy.IssuerDeclined, auto},
			{"4002: the payee is not verified", payout, code(send, "4002"), notExecuted, policy.RiskDeclined, auto},
		},
		"opi": {
			{"21018: a transfer code", payout, code(send, "21018"), notExecuted, policy.InvalidRequest, auto},
			{"21019: a method", checkout, code(send, "21019"), notExecuted, policy.InvalidRequest, auto},
			{"21021: an amount of a payment", checkout, code(send, "21021"), notExecuted, policy.InvalidAmount, auto},
			{"21021: an amount of a refund may be an earlier one's doing", refund, code(send, "21021"), unknown, policy.InvalidAmount, auto},
			{"21022: the volume is used up", payout, code(send, "21022"), notExecuted, policy.LimitExceeded, auto},
			{"21023: not created, how far is not said", payout, code(send, "21023"), unknown, policy.ProviderError, auto},
			{"21025: an earlier cancel may be the cause", cancel, code(send, "21025"), unknown, policy.Conflict, auto},
			{"21027: too many", payout, code(send, "21027"), notExecuted, policy.LimitExceeded, auto},
			{"21201: a sub-order that exists", checkout, code(send, "21201"), unknown, policy.DuplicateOrder, auto},
			{"21202: a sub-order that was paid", checkout, code(send, "21202"), unknown, policy.AlreadyDone, auto},
			{"21203: a sub-order's id", checkout, code(send, "21203"), notExecuted, policy.InvalidRequest, auto},
			{"21204: a region", checkout, code(send, "21204"), notExecuted, policy.InvalidRequest, auto},
			{"a number that no table has", payout, code(send, "21024"), unknown, policy.Unrecognized, auto},
		},
		"paykka": {
			{"206003: the gate refuses the signature", pay, code(send, "206003"), notExecuted, policy.Credentials, auto},
			{"206003 refuses a query", pay, code(query, "206003"), unknown, policy.Credentials, auto},
			{"206007: the merchant is off", refund, code(send, "206007"), notExecuted, policy.Configuration, auto},
			{"206011: no such session, yet", checkout, code(query, "206011"), unknown, policy.NotFound, auto},
			{"206011 to a send", pay, code(send, "206011"), unknown, policy.NotFound, auto},
			{"206021: card data too old", pay, code(send, "206021"), notExecuted, policy.Expired, auto},
			{"206024: no order to refund", refund, code(send, "206024"), notExecuted, policy.NotFound, auto},
			{"206024 to a query is no proof", pay, code(query, "206024"), unknown, policy.NotFound, auto},
			{"210001: a method", checkout, code(send, "210001"), notExecuted, policy.Unsupported, auto},
			{"210004: listed, and no more", checkout, code(send, "210004"), unknown, policy.Unrecognized, auto},
		},
		"shopline": {
			{"4205: the state is unknown, in so many words", pay, code(send, "4205"), unknown, policy.Processing, auto},
			{"43011: listed, and no more", pay, code(send, "43011"), unknown, policy.Unrecognized, auto},
			{"1026 is not MoMo's", pay, code(send, "1026"), unknown, policy.Unrecognized, auto},
		},
	} {
		judge(t, provider, table)
	}
}

// What no table explains proves nothing to any operation in any phase.
func TestListedIsNotExplained(t *testing.T) {
	for _, name := range names {
		c := catalog(t, name)
		for _, r := range c.Codes {
			if r.Class != policy.Unrecognized || r.Scope != "newer" && r.Scope != "envelope" {
				continue
			}
			for _, f := range r.Facts {
				if f.Effect != policy.Unknown {
					t.Errorf("%s: %s, %s: %s", r.Source, f.Operation, f.Phase, f.Effect)
				}
			}
		}
	}
}

// PayKKa's balances tell our capture from another one: what they say was taken is compared.
func TestPayKKaBalancesAreCompared(t *testing.T) {
	c := catalog(t, "paykka")
	body := func(status, balances string) string {
		return `{"ret_code":"000000","data":{"order_id":"GW1","trans_id":"t-1","status":"` + status + `","amount":650,"currency":"EUR","balances":` + balances + `}}`
	}
	for _, tt := range []struct {
		name   string
		op     policy.Operation
		body   string
		amount int64
	}{
		{"captured as a whole", capture, body("SUCCESS", `{"captured_amount":650}`), 650},
		{"captured in part", capture, body("SUCCESS", `{"captured_amount":200}`), 200},
		{"no balances", capture, strings.Replace(body("SUCCESS", "{}"), `,"balances":{}`, "", 1), 0},
		{"success and nothing captured", capture, body("SUCCESS", `{"captured_amount":0}`), policy.OddAmount},
		{"voided in part", cancel, body("CANCELED", `{"voided_amount":100}`), 100},
	} {
		a := policy.Answer{Currency: "EUR"}
		if err := c.Decode(tt.op, query, []byte(tt.body), &a); err != nil || a.Amount != tt.amount {
			t.Errorf("%s: amount %d, want %d (%v)", tt.name, a.Amount, tt.amount, err)
		}
	}
}
