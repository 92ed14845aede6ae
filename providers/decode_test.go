package providers_test

import (
	"errors"
	"testing"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// body is one response as it comes, and what it says.
type body struct {
	name  string
	op    policy.Operation
	phase policy.Phase
	body  string
	want  policy.Answer // without its phase
}

func decode(t *testing.T, provider string, table []body) {
	t.Helper()
	c := catalog(t, provider)
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			var got policy.Answer
			if err := c.Decode(tt.op, tt.phase, []byte(tt.body), &got); err != nil {
				t.Fatalf("%s does not decode: %v", tt.body, err)
			}
			tt.want.Phase = tt.phase
			if got != tt.want {
				t.Errorf("%s\nsays  %+v\nwant  %+v", tt.body, got, tt.want)
			}
		})
	}
}

func TestDecodeMomo(t *testing.T) {
	decode(t, "momo", []body{
		{"a link", checkout, send,
			`{"partnerCode":"P","orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":0,"message":"ok","responseTime":1,"payUrl":"u"}`,
			policy.Answer{Code: "0", Message: "ok", OrderID: "o-1", RequestID: "r-1", Amount: 120000}},
		{"a query, whose requestId is its own", pay, query,
			`{"orderId":"o-1","requestId":"q-9","amount":120000,"transId":4014083433,"resultCode":1006,"message":"no","payType":"qr","refundTrans":[]}`,
			policy.Answer{Code: "1006", Message: "no", OrderID: "o-1", ProviderID: "4014083433", Amount: 120000}},
		{"a notice", pay, webhook,
			`{"orderId":"o-1","requestId":"r-1","amount":120000,"transId":4014083433,"resultCode":0,"message":"ok"}`,
			policy.Answer{Code: "0", Message: "ok", OrderID: "o-1", RequestID: "r-1", ProviderID: "4014083433", Amount: 120000}},
		{"a redirect, all strings", pay, webhook,
			`{"orderId":"o-1","requestId":"r-1","amount":"120000","transId":"4014083433","resultCode":"1006","message":"no"}`,
			policy.Answer{Code: "1006", Message: "no", OrderID: "o-1", RequestID: "r-1", ProviderID: "4014083433", Amount: 120000}},
		{"a refund with an order of its own", refund, send,
			`{"orderId":"rf-1","requestId":"r-2","amount":5000,"transId":7,"resultCode":7002,"message":""}`,
			policy.Answer{Code: "7002", OrderID: "rf-1", RequestID: "r-2", ProviderID: "7", Amount: 5000}},
		{"a capture names the whole order's amount", capture, query,
			`{"orderId":"o-1","amount":120000,"resultCode":9000}`, policy.Answer{Code: "9000", OrderID: "o-1"}},
		{"nothing but a code", pay, send, `{"resultCode":40}`, policy.Answer{Code: "40"}},
		{"nothing that is known", pay, send, `{"hello":"world"}`, policy.Answer{}},
		{"values of other kinds", pay, send, `{"resultCode":[0],"message":{"a":1},"orderId":null,"requestId":true}`,
			policy.Answer{SetAside: "its request_id is true or false, which cannot be compared"}},
	})
}

// An amount in a body that names no currency is not read: its unit is not known.
func TestDecodeOpi(t *testing.T) {
	flat := `{"amount":5735,"createTime":"2026-01-02 03:04:05","eventName":"disbursement.failed","failedCode":-10001,` +
		`"failedMessage":"too much","mchOrderId":"o-1","transactionId":"t-1","transactionStatus":"FAILED","sign":"s"}`
	failed := policy.Answer{SubCode: "-10001", Status: "FAILED", Message: "too much", OrderID: "o-1", ProviderID: "t-1"}
	decode(t, "opi", []body{
		{"a good envelope around a failure", payout, query,
			`{"code":10000,"message":"Success","data":{"mchOrderId":"o-1","transactionId":"t-1","amount":5735,"transactionStatus":"FAILED","failedCode":-10001,"failedMessage":"too much"}}`,
			policy.Answer{Code: "10000", SubCode: "-10001", Status: "FAILED", Message: "too much", OrderID: "o-1", ProviderID: "t-1"}},
		{"a success without a reason", payout, query,
			`{"code":10000,"message":"Success","data":{"mchOrderId":"o-1","transactionId":"t-1","amount":"5735","transactionStatus":"COMPLETED","failedCode":"","failedMessage":null}}`,
			policy.Answer{Code: "10000", Status: "COMPLETED", Message: "Success", OrderID: "o-1", ProviderID: "t-1"}},
		{"a refusal", payout, send, `{"code":21007,"message":"duplicate","data":null}`, policy.Answer{Code: "21007", Message: "duplicate"}},
		{"data as a JSON string", payout, query, `{"code":"10000","data":"{\"transactionStatus\":\"PENDING\",\"mchOrderId\":\"o-1\",\"amount\":1}"}`,
			policy.Answer{Code: "10000", Status: "PENDING", OrderID: "o-1"}},
		{"a flat webhook", payout, webhook, flat, failed},
		{"a webhook inside a JSON string", payout, webhook,
			`{"param":"{\"amount\":5735,\"failedCode\":-10001,\"failedMessage\":\"too much\",\"mchOrderId\":\"o-1\",\"transactionId\":\"t-1\",\"transactionStatus\":\"FAILED\"}","sign":"s"}`, failed},
		{"a webhook inside an object", payout, webhook, `{"param":` + flat + `,"sign":"s"}`, failed},
		{"an event's name outranks nothing", refund, webhook,
			`{"eventName":"payment.refund.success","refundStatus":"FAILED","mchRefundOrderId":"rf-1","mchOrderId":"o-1","transactionStatus":"COMPLETED","amount":5735,"refundAmount":5735}`,
			policy.Answer{Status: "FAILED", OrderID: "rf-1"}},
		{"a refund inside a JSON string", refund, webhook, `{"param":"{\"refundStatus\":\"COMPLETE\",\"refundAmount\":5735,\"mchRefundOrderId\":\"rf-1\"}"}`,
			policy.Answer{Status: "COMPLETE", OrderID: "rf-1"}},
		{"the original payment's status is not its refund's", refund, send,
			`{"code":10000,"message":"Success","data":{"mchOrderId":"o-1","transactionStatus":"COMPLETED"}}`,
			policy.Answer{Code: "10000", Message: "Success"}},
	})
}

func TestDecodeShopline(t *testing.T) {
	held := policy.Answer{Status: "SUCCEEDED", SubStatus: "AUTHORIZED", ProviderID: "t-1", Amount: 120050, Currency: "TWD"}
	refused := policy.Answer{Status: "FAILED", Code: "4454", Message: "no money", ProviderID: "t-1"}
	noticed := refused
	noticed.OrderID, noticed.Amount = "o-1", 100
	decode(t, "shopline", []body{
		{"a trade", pay, send,
			`{"tradeOrderId":"t-1","status":"SUCCEEDED","subStatus":"AUTHORIZED","amount":{"value":120050,"currency":"TWD"},"paymentMsg":null}`, held},
		{"an empty paymentMsg", pay, query,
			`{"tradeOrderId":"t-1","status":"SUCCEEDED","subStatus":"AUTHORIZED","amount":{"value":"120050","currency":"TWD"},"paymentMsg":{"code":"","msg":""}}`, held},
		{"a failed trade", pay, query, `{"tradeOrderId":"t-1","status":"FAILED","paymentMsg":{"code":"4454","msg":"no money"}}`, refused},
		{"a refusal, in letters", pay, send, `{"code":"ACCESS_DENIED","msg":"no"}`, policy.Answer{Code: "ACCESS_DENIED", Message: "no"}},
		{"a code with a leading zero stays one", pay, send, `{"code":"0042"}`, policy.Answer{Code: "0042"}},
		{"a webhook", pay, webhook,
			`{"id":"e","type":"trade.failed","created":1,"data":{"tradeOrderId":"t-1","referenceOrderId":"o-1","amount":100,"status":"FAILED","paymentMsg":{"code":"4454","msg":"no money"}}}`, noticed},
		{"a webhook whose data is a JSON string", pay, webhook,
			`{"id":"e","type":"trade.failed","data":"{\"amount\":100,\"referenceOrderId\":\"o-1\",\"tradeOrderId\":\"t-1\",\"status\":\"FAILED\",\"paymentMsg\":{\"code\":\"4454\",\"msg\":\"no money\"}}"}`, noticed},
		{"a paymentMsg that is a JSON string in one", pay, webhook,
			`{"type":"trade.failed","data":"{\"amount\":100,\"referenceOrderId\":\"o-1\",\"tradeOrderId\":\"t-1\",\"status\":\"FAILED\",\"paymentMsg\":\"{\\\"code\\\":\\\"4454\\\",\\\"msg\\\":\\\"no money\\\"}\"}"}`, noticed},
		{"a webhook whose paymentMsg is null", pay, webhook,
			`{"type":"trade.succeeded","data":{"tradeOrderId":"t-1","order":{"referenceOrderId":"o-1","amount":{"value":100}},"status":"SUCCEEDED","subStatus":"CAPTURED","paymentMsg":null}}`,
			policy.Answer{Status: "SUCCEEDED", SubStatus: "CAPTURED", OrderID: "o-1", ProviderID: "t-1", Amount: 100}},
		{"a session", checkout, send, `{"sessionId":"s-1","status":"CREATED","sessionUrl":"u"}`,
			policy.Answer{Status: "CREATED", ProviderID: "s-1"}},
		{"a session's webhook", checkout, webhook, `{"type":"session.succeeded","data":{"sessionId":"s-1","referenceId":"o-1","status":"SUCCEEDED","amount":{"value":100,"currency":"TWD"}}}`,
			policy.Answer{Status: "SUCCEEDED", OrderID: "o-1", ProviderID: "s-1", Amount: 100, Currency: "TWD"}},
		{"a refund", refund, query,
			`{"refundOrderId":"rf-1","tradeOrderId":"t-1","status":"FAILED","refundMsg":{"code":"4702","msg":"empty"}}`,
			policy.Answer{Status: "FAILED", Code: "4702", Message: "empty", ProviderID: "rf-1"}},
		{"a refund's webhook", refund, webhook,
			`{"type":"trade.refund.succeeded","data":{"refundOrderId":"rf-1","status":"SUCCEEDED","amount":{"value":5000,"currency":"TWD"},"refundMsg":null}}`,
			policy.Answer{Status: "SUCCEEDED", ProviderID: "rf-1", Amount: 5000, Currency: "TWD"}},
		{"a capture names the trade", capture, send, `{"tradeOrderId":"t-1","status":"PROCESSING","amount":{"value":1,"currency":"TWD"}}`,
			policy.Answer{Status: "PROCESSING", ProviderID: "t-1"}},
	})
}

func TestDecodePaykka(t *testing.T) {
	decode(t, "paykka", []body{
		{"two layers: the inner code counts", pay, query,
			`{"ret_code":"000000","ret_msg":"Success","data":{"trans_id":"r-1","order_id":"o-1","status":"FAILURE","error_code":"5004","error_description":"no money"}}`,
			policy.Answer{Code: "5004", Message: "no money", Status: "FAILURE", RequestID: "r-1", ProviderID: "o-1"}},
		{"an empty inner code gives way", pay, query,
			`{"ret_code":"000000","ret_msg":"Success","data":{"trans_id":"r-1","status":"SUCCESS","error_code":"","error_description":null}}`,
			policy.Answer{Code: "000000", Message: "Success", Status: "SUCCESS", RequestID: "r-1"}},
		{"only the envelope", pay, send, `{"ret_code":"4020","ret_msg":"duplicate"}`, policy.Answer{Code: "4020", Message: "duplicate"}},
		{"leading zeros stay", pay, send, `{"ret_code":"010000"}`, policy.Answer{Code: "010000"}},
		{"data as a JSON string", pay, query, `{"ret_code":"000000","data":"{\"trans_id\":\"r-1\",\"status\":\"PROCESSING\",\"error_code\":2099}"}`,
			policy.Answer{Code: "2099", Status: "PROCESSING", RequestID: "r-1"}},
		{"a flat webhook", pay, webhook, `{"notify_type":"PAYMENT.SUCCESS","trans_id":"r-1","order_id":"GW1","status":"SUCCESS","amount":650,"currency":"EUR"}`,
			policy.Answer{Status: "SUCCESS", RequestID: "r-1", ProviderID: "GW1", Amount: 650, Currency: "EUR"}},
		{"a refund's answer", refund, query,
			`{"ret_code":"000000","data":{"refund_trans_id":"rr-1","trans_id":"r-1","order_id":"o-1","status":"REVIEWING"}}`,
			policy.Answer{Code: "000000", Status: "REVIEWING", RequestID: "rr-1"}},
		{"in a refund's notice trans_id is the refund's", refund, webhook, `{"notify_type":"REFUND.SUCCESS","trans_id":"rr-1","order_id":"o-1","status":"SUCCESS"}`,
			policy.Answer{Status: "SUCCESS", RequestID: "rr-1"}},
		{"a session", checkout, send, `{"ret_code":"000000","data":{"session_id":"s-1","trans_id":"r-1"}}`,
			policy.Answer{Code: "000000", ProviderID: "s-1", RequestID: "r-1"}},
		{"a void speaks of the original's ids", cancel, send, `{"ret_code":"000000","data":{"trans_id":"r-1","order_id":"o-1","status":"CANCELED"}}`,
			policy.Answer{Code: "000000", Status: "CANCELED", ProviderID: "o-1"}},
	})
}

// An identifier that is known already is not one that the body carries.
func TestDecodeKeepsWhatIsKnownAlready(t *testing.T) {
	got := policy.Answer{HTTPStatus: 200, OrderID: "o-1", Message: "mine", Verified: true, Currency: "VND"}
	want := policy.Answer{Phase: webhook, HTTPStatus: 200, OrderID: "o-1", Message: "theirs", Verified: true, Currency: "VND", SetAside: "it carries no order_id (it says code 0)"}
	if err := catalog(t, "momo").Decode(pay, webhook, []byte(`{"resultCode":0,"message":"theirs","orderId":""}`), &got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A recording may hold the raw body as a JSON string.
func TestDecodeValueReadsABodyInAString(t *testing.T) {
	c := catalog(t, "momo")
	var got policy.Answer
	v := fastjson.MustParse(`"{\"resultCode\":1001,\"orderId\":\"o-1\",\"amount\":5}"`)
	if err := c.DecodeValue(pay, query, &policy.Message{}, v, &got); err != nil || got.Code != "1001" || got.Phase != query {
		t.Errorf("got %+v (%v), want code 1001", got, err)
	}
	for _, raw := range []string{`"<html></html>"`, `""`, `"[1]"`, `"\"\""`, `null`, `true`} {
		var a policy.Answer
		if err := c.DecodeValue(pay, query, &policy.Message{}, fastjson.MustParse(raw), &a); !wasUnreadable(err, a, query) {
			t.Errorf("%s gives %v and %+v, want an unreadable body", raw, err, a)
		}
	}
	if err := errors.Unwrap(c.DecodeValue(pay, query, &policy.Message{}, fastjson.MustParse(`[]`), &got)); err != nil {
		t.Errorf("an array is unreadable for no further reason, not for %v", err)
	}
}
