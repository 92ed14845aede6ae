package providers_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// vectorKey is the public half of a key that was made for these vectors, and thrown away.
const vectorKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5n6JQ7xVfA5Ft8Pn0iYR
LFHa/bUUkUnah/UKO6X9TJIVkNQMR1HjUgCY4DARS+x9H4CO7hHN0pVU7+WAtAEf
oVw6ibtqVHPn2oKwQ3L7CuhorI6Mude0WH7vMh/UqgZ4UgClKty8UIi5Dvf++Ko2
FoH+JgIVKitqo+g5bVj+cXIqh4ybG4kcuHHyFtdSla0LoDjhEOE/NmoAm/Zj4X0l
K0+sxSBqzOGWSvF86U7QQw9Gep0IcVJFqXpZUxdjZzCyrIHLPi+62+ZVVo4t5p8R
aHHt4YHzY+iCTAIpQG3xc5pIRDZd/WlTLS9InEs1WUTlEA3H2elh7XmueGlbjIlo
DwIDAQAB
-----END PUBLIC KEY-----`

// Signatures that were made with openssl's dgst, in the way that each provider's pages describe: no
// document publishes one together with its key.
var vectors = []struct {
	name, provider, secret string
	settings, header       map[string]string
	body                   string
	change                 string // a part of the body that is signed
}{
	{"MoMo's IPN", "momo", "s3cret", map[string]string{"accessKey": "AK-1"}, nil,
		`{"partnerCode":"DEMO","orderId":"o-1","requestId":"r-1","amount":120000,"orderInfo":"two teas","orderType":"momo_wallet","transId":4014083433,"resultCode":0,"message":"Successful.","payType":"qr","responseTime":1767355200000,"extraData":"","signature":"2f46d707a73d9537068a4775894d415244a2be0b841d311153878a2534f35010"}`,
		"120000"},
	{"OPI's older notice", "opi", "s3cret", nil, nil,
		`{"eventName":"disbursement.success","amount":5735,"createTime":"2026-03-01 08:00:00","mchOrderId":"PO-1","remark":"r","empty":"","returnTime":"2026-03-01 08:00:09","transactionId":"D-1","transactionStatus":"COMPLETE","sign":"4df906dc80de4e146e4713e1d22187aa255608e0"}`,
		"5735"},
	{"OPI's notice in param", "opi", vectorKey, nil, nil,
		`{"param":"{\"eventName\":\"payment.refund.success\",\"mchRefundOrderId\":\"RF-1\",\"refundAmount\":2500,\"refundStatus\":\"COMPLETE\"}","sign":"4EyeuUT8hV4kywd9JpqTznrs7gNlNdaCpyINh1dZsw/petmaK97cXQOStXoyLTVXT+jYdVHoTGsejMZ+R8Sqpi8unYbtT3xvlWeM22Sto80S9OGJRahudaHnuv+1ha+NZzB3/qpu7tQZ05IbEw0+geFjSYA6j8RaA+ooXRjsBq1riHo0UVqfmGbnheeY7IZGo07b9OW4u0CKzLhLOYKglSgPUijHqFT+43/xo9BE7H51H8cEOZH+yXDflvk7moLsuRikWD2KnElAAaF3k46+sC4sn/6VjMCV3a7/6suTgIQdh4cCGVXD2KlZf8xamyusw+w1F7Y8ibBx1BAhSETAbQ=="}`,
		"2500"},
	{"PayKKa's notice", "paykka", vectorKey, map[string]string{"path": "/hooks/paykka"},
		map[string]string{"x-paykka-timestamp": "1767355200000", "x-paykka-nonce": "n-1", "x-paykka-sign": "p8GwY3J%2BEyRXiDQWHTBEVDr0a8XHLKkyyo9UgelcPhWwvXDnho92HEIf15H7DAgPaiziq0tJfq5FWU9V5BOxz3jwDgqB8Pve84Re4WJUZIh15wa1enC6WQt7FuM5TNoRy73h06dhF09ocaJI%2BbK9toK33r1m7YVKTnmQc2edtjywW2nRIQh0nbJ%2BAxgAVloZBqJuiEAq5P0%2BDhZ1%2B6zr4rxNUWXuSVOkEnKQjiN%2BHRdJ7dGABHh0VekhL467JXXfh%2Bj37oBQ2suy%2FEkI3HMNUtvUzEuPWHLsietoWsV20hA755tYfxNrRAioeIxlRO81ErcZsylGKFCLGOmMULeh2A%3D%3D"},
		`{"notify_type":"PAYMENT.SUCCESS","trans_id":"mt-4","status":"SUCCESS","amount":650,"currency":"EUR"}`, "650"},
}

func TestSignaturesOfOpenssl(t *testing.T) {
	for _, tt := range vectors {
		t.Run(tt.name, func(t *testing.T) {
			shape, _ := catalog(t, tt.provider).Webhook()
			shape = shape.With(tt.settings)
			header := func(name string) string { return tt.header[name] }
			if !shape.Verify(tt.secret, header, []byte(tt.body)) {
				t.Error("a genuine notice is refused")
			}
			if shape.Verify(tt.secret, header, []byte(strings.Replace(tt.body, tt.change, "1", 1))) {
				t.Error("a changed notice is taken")
			}
			if shape.Verify("other", header, []byte(tt.body)) {
				t.Error("another key is taken")
			}
			twice := strings.Replace(tt.body, "{", `{"orderId":"o-9","orderId":"o-1","sign":"x",`, 1)
			if tt.header == nil && shape.Verify(tt.secret, header, []byte(twice)) {
				t.Error("a notice with a signed key twice is taken")
			}
			if len(tt.settings) > 0 && shape.With(map[string]string{"accessKey": "", "path": ""}).Verify(tt.secret, header, []byte(tt.body)) {
				t.Error("the merchant's settings do not count")
			}
		})
	}
}

// A public key is no secret: whoever knows it must not be able to sign with it in the other way.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	shape, _ := catalog(t, "opi").Webhook()
	forged, err := withSum(t, `{"amount":5735,"mchOrderId":"PO-1","transactionStatus":"COMPLETE"}`, "amount=5735&mchOrderId=PO-1&transactionStatus=COMPLETE&secret="+vectorKey)
	if err != nil || shape.Verify(vectorKey, func(string) string { return "" }, forged) {
		t.Errorf("a notice that is signed with the public key is taken (%v)", err)
	}
}

// withSum puts the SHA-1 of a text into a body as its sign.
func withSum(t *testing.T, body, text string) ([]byte, error) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		return nil, err
	}
	fields["sign"] = fmt.Sprintf("%x", sha1.Sum([]byte(text)))
	return json.Marshal(fields)
}

// keyPair makes a key for rsa-sha256.
func keyPair(t *testing.T) (private, public string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
}
