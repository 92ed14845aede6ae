package emulator_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// signedQuery is a query string as a client of VNPAY signs it: url.Values.Encode sorts by name and escapes as
// a form does.
func signedQuery(values map[string]string, secret string) string {
	q := url.Values{}
	for name, value := range values {
		q.Set(name, value)
	}
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(q.Encode()))
	return q.Encode() + "&vnp_SecureHash=" + hex.EncodeToString(mac.Sum(nil))
}

// genuine is what such a client makes of a notice's query string.
func genuine(raw, secret string) bool {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return false
	}
	values := map[string]string{}
	for name := range q {
		if name != "vnp_SecureHash" && name != "vnp_SecureHashType" {
			values[name] = q.Get(name)
		}
	}
	same, _ := url.ParseQuery(signedQuery(values, secret))
	return same.Get("vnp_SecureHash") == q.Get("vnp_SecureHash")
}

// A shopper opens the URL that the merchant signed; the notice comes to the IPN URL as a signed query string, and
// the query finds the payment.
func TestVNPAYsOwnShapeIsServed(t *testing.T) {
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := all.Get("vnpay")
	if err != nil {
		t.Fatal(err)
	}
	notices := make(chan *http.Request, 8)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		notices <- r
		_, _ = io.WriteString(w, `{"RspCode":"00","Message":"Confirm Success"}`)
	}))
	defer shop.Close()
	acknowledged := make(chan bool, 8)
	s := emulator.NewServer(emulator.NewProvider(c, nil), &emulator.ServerOptions{
		Secret: "s3cret", Webhook: shop.URL + "/ipn",
		Delivered: func(d emulator.Delivered) { acknowledged <- d.Acknowledged },
	})
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go s.Deliver(ctx)

	page := server.URL + "/paymentv2/vpcpay.html?" + signedQuery(map[string]string{
		"vnp_Version": "2.1.0", "vnp_Command": "pay", "vnp_TmnCode": "DEMO0001", "vnp_Amount": "1500000", "vnp_CurrCode": "VND",
		"vnp_TxnRef": "o-1", "vnp_OrderInfo": "hai tra & banh", "vnp_ReturnUrl": "https://shop.example/return", "vnp_CreateDate": "20261130010203",
	}, "s3cret")
	response, err := http.Get(page)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%+v, %v", response, err)
	}
	response.Body.Close()

	var notice *http.Request
	select {
	case notice = <-notices:
	case <-time.After(time.Minute):
		t.Fatal("no notice came")
	}
	if !<-acknowledged {
		t.Error("the notice is not acknowledged")
	}
	raw := notice.URL.RawQuery
	if notice.Method != http.MethodGet || notice.URL.Path != "/ipn" || !genuine(raw, "s3cret") || genuine(raw, "other") {
		t.Fatalf("%s %s", notice.Method, notice.URL)
	}
	shape, _ := c.Webhook()
	request := &providers.HTTPRequest{Method: notice.Method, Path: notice.URL.Path, RawQuery: raw, Header: notice.Header.Get}
	if err := shape.Check(request, time.Now(), 0, "s3cret"); err != nil {
		t.Error(err)
	}
	var a policy.Answer
	if err := c.DecodeMessage(policy.Checkout, policy.Webhook, &policy.Message{Query: raw}, &a); err != nil || a.Status != "00" || a.OrderID != "o-1" || a.Amount != 15_000 {
		t.Errorf("%+v, %v", a, err)
	}
	if f := c.Judge(&policy.Payment{Operation: policy.Checkout}, &a); f.Effect != policy.Executed || f.Class != policy.Success {
		t.Errorf("it proves %+v", f)
	}
}

// The signature was made with openssl: printf '%s' QUERY | openssl dgst -sha512 -hmac s3cret
func TestANoticeOfVNPAYSignedWithOpenssl(t *testing.T) {
	const query = "vnp_Amount=1500000&vnp_BankCode=NCB&vnp_BankTranNo=VNP14226112&vnp_CardType=ATM&vnp_OrderInfo=Thanh+toan+don+hang%3A+hai+tra&vnp_PayDate=20261130010203&vnp_ResponseCode=00&vnp_TmnCode=DEMO0001&vnp_TransactionNo=14226112&vnp_TransactionStatus=00&vnp_TxnRef=o-1"
	const hash = "0a7e07db0b72d3ef8465181d94fd6c3c9cf1ba51827b824dd09fa5e7cb9861c8a27a69a6a0e0d9f817cc67088c6015445089cd303e36cc174d6bbd1101549633"
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, _ := all.Get("vnpay")
	shape, _ := c.Webhook()
	check := func(raw, secret string) error {
		return shape.Check(&providers.HTTPRequest{Method: "GET", RawQuery: raw, Header: func(string) string { return "" }}, time.Now(), 0, secret)
	}
	for name, raw := range map[string]string{
		"as it came": query + "&vnp_SecureHash=" + hash, "in another order": "vnp_SecureHash=" + hash + "&" + query,
		"with the kind of hash, which older versions send": query + "&vnp_SecureHashType=HMACSHA512&vnp_SecureHash=" + hash,
		"with an empty value":                              query + "&vnp_Empty=&vnp_SecureHash=" + hash,
	} {
		if err := check(raw, "s3cret"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"another amount":      "vnp_Amount=1600000" + query[len("vnp_Amount=1500000"):] + "&vnp_SecureHash=" + hash,
		"a name twice":        query + "&vnp_Amount=100&vnp_SecureHash=" + hash,
		"a name more":         query + "&vnp_Extra=1&vnp_SecureHash=" + hash,
		"no signature":        query,
		"an empty signature":  query + "&vnp_SecureHash=",
		"a part that is cut":  query + "&vnp_SecureHash=" + hash + "&x=%",
		"a semicolon for a &": query + ";vnp_SecureHash=" + hash,
	} {
		if check(raw, "s3cret") == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if check(query+"&vnp_SecureHash="+hash, "other") == nil {
		t.Error("another secret is taken")
	}
}
