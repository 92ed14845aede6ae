package providers_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Whoever has one genuine notice can send it once more with fields beside the part that is signed: the signature
// holds, and what stands there must not be read.
func TestFieldsBesideTheSignedOneAreNotRead(t *testing.T) {
	private, public := keyPair(t)
	c := catalog(t, "opi")
	shape, _ := c.Webhook()
	theirs := signedBy(t, "signature = \"sign\"\nsigned = \"text\"\ntext = \"{field:param}\"\nalgorithm = \"rsa-sha256\"\nencoding = \"base64\"\n")
	_, genuine, err := theirs.Sign(private, time.Unix(1, 0), []byte(`{"param":"{\"eventName\":\"disbursement.success\",\"mchOrderId\":\"theirs-1\",\"transactionId\":\"D1\",\"amount\":100,\"transactionStatus\":\"COMPLETED\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{
		`"mchOrderId":"ours-1"`, `"mchOrderId":"ours-1","amount":480000`, `"transactionStatus":"COMPLETED","mchOrderId":"ours-1","transactionId":"D2","amount":480000,"eventName":"disbursement.success"`,
	} {
		forged := strings.Replace(string(genuine), "{", "{"+beside+",", 1)
		if !shape.Verify(public, nil, []byte(forged)) {
			t.Fatalf("the test shows nothing: the signature does not hold: %s", forged)
		}
		a := policy.Answer{Currency: "PHP"}
		if err := c.Decode(payout, webhook, []byte(forged), &a); err != nil || a.OrderID != "theirs-1" || a.Amount != 100 || a.ProviderID != "D1" {
			t.Errorf("%s: %v, %+v", forged, err, a)
		}
		a = policy.Answer{Currency: "PHP"} // the same of a refund
		refunded := strings.NewReplacer("disbursement.", "payment.refund.", "mchOrderId", "mchRefundOrderId", "transactionStatus", "refundStatus", "amount", "refundAmount").Replace(forged)
		if err := c.Decode(refund, webhook, []byte(refunded), &a); err != nil || a.OrderID != "theirs-1" || a.Amount != 100 {
			t.Errorf("%s: %v, %+v", refunded, err, a)
		}
	}
}

// A part that cannot be read leaves nothing to read, and least of all what stands beside it.
func TestWithinWhatCannotBeRead(t *testing.T) {
	c := catalog(t, "opi")
	const flat = `"eventName":"disbursement.success","mchOrderId":"ours-1","transactionId":"D2","amount":480000,"transactionStatus":"COMPLETED"`
	for _, param := range []string{`"<xml/>"`, `""`, `null`, `1`, `true`, `[]`, `"[]"`, `"{"`, `{"mchOrderId":"a","mchOrderId":"b"}`, `"{\"mchOrderId\":\"a\",\"mchOrderId\":\"b\"}"`, `"{}","param":"{\"amount\":1}"`, `"{}","Param":"{}"`} {
		a := policy.Answer{Currency: "PHP"}
		if err := c.Decode(payout, webhook, []byte(`{"param":`+param+`,`+flat+`}`), &a); !errors.Is(err, providers.ErrUnreadable) || a.OrderID != "" {
			t.Errorf("%s: %v, %+v", param, err, a)
		}
	}
}

// What is cut stands where it stood, and reads as before.
func TestCutWithin(t *testing.T) {
	c := catalog(t, "opi")
	for _, body := range []string{
		`{"sign":"s","mchOrderId":"beside","param":"{\"eventName\":\"disbursement.success\",\"name\":\"secret\",\"mchOrderId\":\"o-1\",\"transactionId\":\"D1\",\"amount\":100,\"transactionStatus\":\"COMPLETED\"}"}`,
		`{"sign":"s","param":{"eventName":"disbursement.success","name":"secret","mchOrderId":"o-1","transactionId":"D1","amount":100,"transactionStatus":"COMPLETED"}}`,
	} {
		m, err := c.Cut(payout, webhook, &policy.Message{HTTPStatus: 200, Body: []byte(body)}, func(field, _ string) bool { return field != "" }, func(_, value string) string { return value })
		if err != nil || strings.Contains(string(m.Body), "secret") || strings.Contains(string(m.Body), "beside") || !strings.Contains(string(m.Body), `"param":`) {
			t.Fatalf("%v: %s", err, m.Body)
		}
		whole, rest := policy.Answer{Currency: "PHP"}, policy.Answer{Currency: "PHP"}
		if err := errors.Join(c.Decode(payout, webhook, []byte(body), &whole), c.Decode(payout, webhook, m.Body, &rest)); err != nil || whole != rest || whole.OrderID != "o-1" {
			t.Errorf("%v\n%+v\n%+v", err, whole, rest)
		}
	}
}
