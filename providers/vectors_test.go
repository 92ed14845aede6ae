package providers_test

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/providers"
)

// A vector is a webhook that was signed with openssl.
type vector struct {
	Name     string            `json:"name"`
	Provider string            `json:"provider"` // or
	Webhook  string            `json:"webhook"`  // lines of a [webhook] block
	Secret   string            `json:"secret"`
	Key      string            `json:"key"` // the public key stands in the secret's place
	Settings map[string]string `json:"settings"`
	Header   map[string]string `json:"header"`
	Body     string            `json:"body"`
	Query    string            `json:"query"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	At       int64             `json:"at"`      // milliseconds, of the signed timestamp
	Change   string            `json:"change"`  // a part that is signed
	Text     string            `json:"text"`    // what openssl was given
	MadeBy   string            `json:"made_by"` // the command
}

func vectors(t *testing.T) (all []vector, publicKey string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Key     string   `json:"key"`
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors, file.Key
}

func (v *vector) shape(t *testing.T) *providers.WebhookShape {
	t.Helper()
	if v.Provider != "" {
		shape, _ := catalog(t, v.Provider).Webhook()
		return shape.With(v.Settings)
	}
	return signedBy(t, v.Webhook).With(v.Settings)
}

// signedBy is a shape with these lines.
func signedBy(t *testing.T, lines string) *providers.WebhookShape {
	t.Helper()
	cs := with(t, "acme.toml", "name = \"acme\"\noperations = [\"pay\"]\n[webhook]\nacknowledged = 200\n"+lines)
	c, _ := cs.Get("acme")
	shape, _ := c.Webhook()
	return shape
}

func (v *vector) request() *providers.HTTPRequest {
	return &providers.HTTPRequest{
		Method: cmp.Or(v.Method, "POST"), Path: v.Path, Body: []byte(v.Body), RawQuery: v.Query,
		Header: func(name string) string { return v.Header[name] },
	}
}

func TestSignaturesOfOpenssl(t *testing.T) {
	all, publicKey := vectors(t)
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			shape, at := v.shape(t), time.UnixMilli(v.At)
			if v.Key != "" {
				v.Secret = publicKey
			}
			check := func(v vector, secrets ...string) error { return shape.Check(v.request(), at, 0, secrets...) }
			if err := check(v, "another", v.Secret); err != nil {
				t.Errorf("a genuine notice is refused: %v", err)
			}
			changed := v
			changed.Body, changed.Query = strings.Replace(v.Body, v.Change, "1", 1), strings.Replace(v.Query, v.Change, "1", 1)
			if check(changed, v.Secret) == nil {
				t.Error("a changed notice is taken")
			}
			for _, secret := range []string{"other", "", " "} {
				if check(v, secret) == nil {
					t.Errorf("the key %q is taken", secret)
				}
			}
			if check(v) == nil {
				t.Error("no key at all is taken")
			}
			twice := v
			twice.Body = strings.Replace(v.Body, "{", `{"orderId":"o-9","orderId":"o-1","amount":1,"sign":"x",`, 1)
			if strings.Contains(v.Query+v.Body, "mount=") {
				twice.Body, twice.Query = v.Body+"&amount=1", v.Query+"&vnp_amount=1"
			}
			if check(twice, v.Secret) == nil {
				t.Error("a notice with a signed key twice is taken")
			}
			if len(v.Settings) > 0 && shape.With(map[string]string{"accessKey": "", "path": "", "app": ""}).Check(v.request(), at, 0, v.Secret) == nil {
				t.Error("the merchant's settings do not count")
			}
		})
	}
}

// A notice is as old as its signed timestamp says, in both directions, and not older than the tolerance.
func TestTolerance(t *testing.T) {
	all, publicKey := vectors(t)
	for _, v := range all {
		if v.At == 0 {
			continue
		}
		shape := v.shape(t)
		if v.Key != "" {
			v.Secret = publicKey
		}
		for _, tt := range []struct {
			off, tolerance time.Duration
			want           bool
		}{
			{0, 0, true}, {5 * time.Minute, 0, true}, {-5 * time.Minute, 0, true}, {5*time.Minute + time.Second, 0, false}, {-5*time.Minute - time.Second, 0, false},
			{6 * time.Minute, time.Hour, true}, {2 * time.Second, time.Second, false}, {1000000 * time.Hour, 0, false},
		} {
			if err := shape.Check(v.request(), time.UnixMilli(v.At).Add(tt.off), tt.tolerance, v.Secret); (err == nil) != tt.want {
				t.Errorf("%s, %s off, tolerance %s: %v", v.Name, tt.off, tt.tolerance, err)
			}
		}
	}
}

// Of several timestamps in one header none counts: which is signed is not said.
func TestATimestampStandsOnce(t *testing.T) {
	all, _ := vectors(t)
	i := slices.IndexFunc(all, func(v vector) bool { return v.Name == "parts of one header" })
	v := all[i]
	v.Header = map[string]string{"Stripe-Signature": v.Header["Stripe-Signature"] + ",t=1767355201"}
	if v.shape(t).Check(v.request(), time.UnixMilli(v.At), 0, v.Secret) == nil {
		t.Error("a header with two timestamps is taken")
	}
}

// Where the provider's documents name a nonce, it is what tells a copy; a copy passes for its age
// as long as the window says.
func TestNonces(t *testing.T) {
	all, _ := vectors(t)
	for _, v := range all {
		nonce, window := v.shape(t).Nonce(v.request(), 0)
		if want := v.Header["x-paykka-nonce"]; nonce != want { // version 1.2 has none
			t.Errorf("%s: the nonce is %q, want %q", v.Name, nonce, want)
		}
		if want := map[bool]time.Duration{true: 10 * time.Minute}[v.At > 0]; window != want {
			t.Errorf("%s: the window is %s, want %s", v.Name, window, want)
		}
	}
}

// Acknowledgements that the catalogue names are taken for such.
func TestAcknowledgementsAcknowledge(t *testing.T) {
	all, _ := vectors(t)
	want := map[string]string{"momo": "", "opi": `{"code":10000,"message":"Success"}`, "paykka": `{"ret_code":"000000","ret_msg":"Success"}`}
	for _, v := range all {
		shape := v.shape(t)
		status, body := shape.Acknowledgement(v.request())
		if !shape.Acknowledged(status, []byte(body)) || body != want[v.Provider] {
			t.Errorf("%s: %d %s", v.Name, status, body)
		}
	}
}

// Algorithms that are broken are named, with their place.
func TestWeakAlgorithmsAreNamed(t *testing.T) {
	weak := map[string][]string{}
	for _, name := range names {
		shape, _ := catalog(t, name).Webhook()
		for at, algorithm := range shape.Weak() {
			if !strings.HasPrefix(at, "providers/"+name+".toml:") {
				t.Errorf("%s stands at %s", algorithm, at)
			}
			weak[name] = append(weak[name], algorithm)
		}
	}
	if want := map[string][]string{"opi": {"sha1"}}; !reflect.DeepEqual(weak, want) {
		t.Errorf("weak are %v, want %v", weak, want)
	}
}

// A public key is no secret: whoever knows it must not be able to sign with it in the other way.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	shape, _ := catalog(t, "opi").Webhook()
	_, vectorKey := vectors(t)
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
