package providers_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// Bodies in the shapes of Stripe's and VNPAY's pages, with invented values, and what they prove of a payment of
// 20.00 USD or 15,000 VND under the order o-1.
var shaped = []struct {
	name     string
	provider string
	op       policy.Operation
	ph       policy.Phase
	http     int
	body     string
	effect   policy.Effect
	class    policy.Class
	aside    string // a part of why it is set aside
}{
	{"paid", "stripe", policy.Pay, policy.Send, 200, `{"id":"pi_1","object":"payment_intent","amount":2000,"currency":"usd","status":"succeeded","last_payment_error":null,"metadata":{"order_id":"o-1"}}`, policy.Executed, policy.Success, ""},
	{"held, and to be captured automatically", "stripe", policy.Pay, policy.Send, 200, `{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_capture","metadata":{"order_id":"o-1"}}`, policy.Pending, policy.Authorized, ""},
	{"paid, no amount", "stripe", policy.Pay, policy.Send, 200, `{"id":"pi_1","currency":"usd","status":"succeeded"}`, policy.Unknown, 0, "amount"},
	{"paid, of no order", "stripe", policy.Pay, policy.Query, 200, `{"amount":2000,"currency":"usd","status":"succeeded","metadata":{}}`, policy.Unknown, 0, "order_id or provider_id"},
	{"declined with a known code", "stripe", policy.Pay, policy.Send, 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","payment_intent":{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_payment_method","metadata":{"order_id":"o-1"}}}}`, policy.NotExecuted, policy.InsufficientFunds, ""},
	{"declined with a code that no table has", "stripe", policy.Pay, policy.Send, 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"of_next_year","payment_intent":{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_payment_method","metadata":{"order_id":"o-1"}}}}`, policy.NotExecuted, policy.IssuerDeclined, ""},
	{"declined as a repetition of another payment", "stripe", policy.Pay, policy.Send, 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"duplicate_transaction","payment_intent":{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_payment_method","metadata":{"order_id":"o-1"}}}}`, policy.Unknown, policy.DuplicateOrder, ""},
	{"declined, behind a server's error", "stripe", policy.Pay, policy.Send, 502, `{"error":{"type":"card_error","code":"card_declined","payment_intent":{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_payment_method"}}}`, policy.Unknown, policy.IssuerDeclined, ""},
	{"no means of payment, and no try", "stripe", policy.Pay, policy.Query, 200, `{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_payment_method","last_payment_error":null}`, policy.Unknown, policy.NotYet, ""},
	{"a status of next year", "stripe", policy.Pay, policy.Query, 200, `{"id":"pi_1","amount":2000,"currency":"usd","status":"requires_patience"}`, policy.Unknown, policy.Unrecognized, ""},
	{"the limiter", "stripe", policy.Pay, policy.Send, 429, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`, policy.NotExecuted, policy.RateLimited, ""},
	{"the limiter, of a query", "stripe", policy.Pay, policy.Query, 429, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`, policy.Unknown, policy.RateLimited, ""},
	{"an error of a type alone", "stripe", policy.Pay, policy.Send, 400, `{"error":{"type":"invalid_request_error","message":"m"}}`, policy.Unknown, policy.InvalidRequest, ""},
	{"a key that is in use", "stripe", policy.Pay, policy.Send, 409, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`, policy.Unknown, policy.DuplicateRequest, ""},
	{"a 500", "stripe", policy.Pay, policy.Send, 500, `{"error":{"type":"api_error"}}`, policy.Unknown, policy.ProviderError, ""},
	{"an error of no type", "stripe", policy.Refund, policy.Send, 424, `{"error":{}}`, policy.Unknown, policy.ChannelError, ""},
	{"the search found it", "stripe", policy.Pay, policy.Query, 200, `{"object":"search_result","has_more":false,"data":[{"id":"pi_1","amount":2000,"currency":"usd","status":"succeeded","metadata":{"order_id":"o-1"}}]}`, policy.Executed, policy.Success, ""},
	{"the search found two that differ", "stripe", policy.Pay, policy.Query, 200, `{"data":[{"id":"pi_1","amount":2000,"currency":"usd","status":"succeeded","metadata":{"order_id":"o-1"}},{"id":"pi_2","amount":2000,"currency":"usd","status":"canceled","metadata":{"order_id":"o-1"}}]}`, policy.Unknown, policy.Unrecognized, ""},
	{"the search found nothing", "stripe", policy.Pay, policy.Query, 200, `{"object":"search_result","data":[]}`, policy.Unknown, policy.NotFound, ""},
	{"an event of success", "stripe", policy.Pay, policy.Webhook, 0, `{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","object":"payment_intent","amount":2000,"currency":"usd","status":"succeeded","metadata":{"order_id":"o-1"}}}}`, policy.Executed, policy.Success, ""},
	{"an event whose name denies its status", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"payment_intent.payment_failed","data":{"object":{"id":"pi_1","amount":2000,"currency":"usd","status":"succeeded"}}}`, policy.Unknown, 0, "contradicts its status"},
	{"an event of another thing", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"payout.paid","data":{"object":{"id":"po_1","amount":2000,"currency":"usd","status":"paid"}}}`, policy.Unknown, 0, "payout.paid"},
	{"a refund's event, of the payment", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"refund.updated","data":{"object":{"id":"re_1","amount":2000,"currency":"usd","status":"succeeded","payment_intent":"pi_1"}}}`, policy.Unknown, 0, "not about a pay"},
	{"given back", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1","amount":2000,"currency":"usd","status":"succeeded","refunded":true}}}`, policy.Executed, policy.Disputed, ""},
	{"disputed", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"charge.dispute.created","data":{"object":{"id":"dp_1","object":"dispute","payment_intent":"pi_1","amount":2000,"currency":"usd","status":"needs_response"}}}`, policy.Executed, policy.Disputed, ""},
	{"a dispute that was won", "stripe", policy.Pay, policy.Webhook, 0, `{"type":"charge.dispute.closed","data":{"object":{"id":"dp_1","payment_intent":"pi_1","amount":2000,"currency":"usd","status":"won"}}}`, policy.Executed, policy.Disputed, ""},
	{"cancelled", "stripe", policy.Cancel, policy.Send, 200, `{"id":"pi_1","status":"canceled"}`, policy.Executed, policy.Cancelled, ""},
	{"a capture that is refused, of an intent that succeeded", "stripe", policy.Capture, policy.Send, 400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","payment_intent":{"id":"pi_1","status":"succeeded"}}}`, policy.Unknown, policy.Conflict, ""},
	{"a refund", "stripe", policy.Refund, policy.Send, 200, `{"id":"re_1","object":"refund","amount":2000,"currency":"usd","status":"pending","payment_intent":"pi_1","metadata":{"order_id":"o-1"}}`, policy.Pending, policy.Processing, ""},
	{"refunded before", "stripe", policy.Refund, policy.Send, 400, `{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}`, policy.Unknown, policy.AlreadyDone, ""},

	{"paid", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=00&vnp_TransactionNo=14226112&vnp_TransactionStatus=00&vnp_TxnRef=o-1`, policy.Executed, policy.Success, ""},
	{"taken, and suspected", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=07&vnp_TransactionNo=14226112&vnp_TransactionStatus=00&vnp_TxnRef=o-1`, policy.Executed, policy.Disputed, ""},
	{"suspected, by its status", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=07&vnp_TransactionNo=14226112&vnp_TransactionStatus=07&vnp_TxnRef=o-1`, policy.Executed, policy.Disputed, ""},
	{"cancelled by the payer", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=24&vnp_TransactionNo=0&vnp_TransactionStatus=02&vnp_TxnRef=o-1`, policy.NotExecuted, policy.Cancelled, ""},
	{"failed for a reason that no table has", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=88&vnp_TransactionNo=0&vnp_TransactionStatus=02&vnp_TxnRef=o-1`, policy.Unknown, policy.Unrecognized, ""},
	{"charged by the bank and not by VNPAY", "vnpay", policy.Checkout, policy.Query, 200, `{"vnp_ResponseCode":"00","vnp_TxnRef":"o-1","vnp_Amount":"1500000","vnp_TransactionStatus":"04"}`, policy.Unknown, policy.Conflict, ""},
	{"a query that was refused", "vnpay", policy.Checkout, policy.Query, 200, `{"vnp_ResponseCode":"94","vnp_TxnRef":"o-1"}`, policy.Unknown, policy.DuplicateRequest, ""},
	{"no order", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=00&vnp_TransactionStatus=00`, policy.Unknown, 0, "order_id"},
	{"no amount", "vnpay", policy.Checkout, policy.Webhook, 0, `vnp_TxnRef=o-1&vnp_ResponseCode=00&vnp_TransactionStatus=00`, policy.Unknown, 0, "amount"},
	{"the payment, asked about a refund", "vnpay", policy.Refund, policy.Query, 200, `{"vnp_ResponseCode":"00","vnp_TxnRef":"o-1","vnp_Amount":"1500000","vnp_TransactionType":"01","vnp_TransactionStatus":"00"}`, policy.Unknown, policy.NotYet, ""},
	{"a full refund", "vnpay", policy.Refund, policy.Query, 200, `{"vnp_ResponseCode":"00","vnp_TxnRef":"o-1","vnp_Amount":"1500000","vnp_TransactionType":"02","vnp_TransactionStatus":"00"}`, policy.Executed, policy.Success, ""},
	{"one of several partial refunds", "vnpay", policy.Refund, policy.Query, 200, `{"vnp_ResponseCode":"00","vnp_TxnRef":"o-1","vnp_Amount":"1500000","vnp_TransactionType":"03","vnp_TransactionStatus":"00"}`, policy.Unknown, policy.NotYet, ""},
	{"a notice, read as a refund's", "vnpay", policy.Refund, policy.Webhook, 0, `vnp_Amount=1500000&vnp_ResponseCode=00&vnp_TransactionStatus=00&vnp_TxnRef=o-1`, policy.Unknown, 0, "something else"},
	{"a refund that was asked for before", "vnpay", policy.Refund, policy.Send, 200, `{"vnp_ResponseCode":"94","vnp_TxnRef":"o-1","vnp_Amount":"1500000"}`, policy.Unknown, policy.DuplicateRequest, ""},
}

func TestWhatStripeAndVNPAYProve(t *testing.T) {
	for _, tt := range shaped {
		c, p := catalog(t, tt.provider), policy.Payment{Provider: tt.provider, Operation: tt.op, Amount: 2000, Currency: "USD"}
		if tt.provider == "vnpay" {
			p.Amount, p.Currency = 15_000, "VND"
		}
		a := policy.Answer{Currency: p.Currency}
		if err := c.DecodeMessage(tt.op, tt.ph, &policy.Message{HTTPStatus: tt.http, Body: []byte(tt.body)}, &a); err != nil {
			t.Errorf("%s, %s: %v", tt.provider, tt.name, err)
			continue
		}
		f := c.Judge(&p, &a)
		if f.Effect != tt.effect || f.Class != tt.class || !strings.Contains(a.SetAside, tt.aside) || tt.aside == "" && a.SetAside != "" {
			t.Errorf("%s, %s: %s, %s; set aside: %q", tt.provider, tt.name, f.Effect, f.Class, a.SetAside)
		}
		if a.Amount != 0 && a.Amount != p.Amount {
			t.Errorf("%s, %s: the amount is %d", tt.provider, tt.name, a.Amount)
		}
	}
}

// Stripe writes some currencies otherwise than ISO 4217 does.
func TestStripesCurrencies(t *testing.T) {
	c := catalog(t, "stripe")
	for _, tt := range []struct {
		said, currency string
		want           int64
	}{{"500", "jpy", 500}, {"500", "isk", 5}, {"550", "isk", policy.OddAmount}, {"500", "mga", 50_000}, {"5120", "kwd", 5120}, {"500", "usd", 500}} {
		var a policy.Answer
		body := `{"id":"pi_1","amount":` + tt.said + `,"currency":"` + tt.currency + `","status":"succeeded"}`
		if err := c.Decode(policy.Pay, policy.Send, []byte(body), &a); err != nil || a.Amount != tt.want || a.Currency != strings.ToUpper(tt.currency) {
			t.Errorf("%s %s is %d %s (%v)", tt.said, tt.currency, a.Amount, a.Currency, err)
		}
	}
}
