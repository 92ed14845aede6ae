package emulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
)

// receiver is a merchant's webhook handler in memory. It acknowledges after so many refusals.
type receiver struct {
	mu       sync.Mutex
	refuse   int
	status   int
	reply    string
	received []received
	dead     bool
	visited  []string
}

type received struct {
	at     time.Time
	header http.Header
	body   []byte
}

func (e *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	e.received = append(e.received, received{time.Now(), r.Header, body})
	e.visited = append(e.visited, r.URL.String())
	if e.dead {
		return nil, errors.New("connection refused")
	}
	status := e.status
	if len(e.received) <= e.refuse {
		status = 500
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(e.reply)), Request: r}, nil
}

const (
	pendingPlan = "[fate]\nsettles = [{ for = \"60s\" }]\n"
	hookURL     = "http://merchant.test/hook"
)

// begun is a request for a payment that ends later, in the form of each provider.
var begun = map[string]struct{ path, body string }{
	"momo":     {payPath, paying("o-1", "r-1")},
	"opi":      {"/open-api/disbursement/transfer", `{"appId":"a","param":"{\"mchOrderId\":\"o-1\",\"idempotencyId\":\"r-1\",\"amount\":5000,\"currency\":\"PHP\"}","sign":"s"}`},
	"shopline": {"/api/v1/trade/sessions/create", `{"referenceOrderId":"o-1","amount":{"value":5000,"currency":"TWD"}}`},
	"paykka":   {"/v3/payment/acq/session", `{"order_id":"o-1","trans_id":"r-1","amount":5000,"currency":"USD"}`},
}

func start(t *testing.T, c *http.Client, provider string) {
	t.Helper()
	q, err := http.NewRequest("POST", base+begun[provider].path, strings.NewReader(begun[provider].body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("requestId", "h-1")
	r, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, raw)
	}
}

// Each provider's webhooks bear its signature, and are sent until they are acknowledged in
// its way.
func TestWebhooksAreSigned(t *testing.T) {
	acknowledge := map[string]*receiver{
		"momo": {status: 204}, "opi": {status: 200, reply: `{"code":10000}`}, "shopline": {status: 200}, "paykka": {status: 200, reply: `{"ret_code":"000000"}`},
	}
	private, public := keyPair(t)
	for provider, e := range acknowledge {
		for _, forged := range []bool{false, true} {
			doc := pendingPlan
			if forged {
				doc += "[[fault]]\nkind = \"unverified_webhook\"\nnth = 1\n"
			}
			e = &receiver{status: e.status, reply: e.reply}
			sign, secret := "s3cret", "s3cret"
			if provider == "paykka" {
				sign, secret = private, public
			}
			o := &emulator.ServerOptions{Webhook: hookURL, Secret: sign, Client: &http.Client{Transport: e}}
			served(t, provider, doc, o, func(t *testing.T, c *http.Client, _ *emulator.Provider) {
				start(t, c, provider)
				time.Sleep(time.Hour) // virtual
			})
			if len(e.received) != 1 {
				t.Fatalf("%s: %d deliveries", provider, len(e.received))
			}
			shape, _ := catalog(t, provider).Webhook()
			u, err := url.Parse(hookURL)
			if err != nil {
				t.Fatal(err)
			}
			shape = shape.With(map[string]string{"path": u.Path})
			h := e.received[0]
			if ok := shape.Verify(secret, h.header.Get, h.body); ok == forged {
				t.Errorf("%s, forged %v: it verifies %v\n%v %s", provider, forged, ok, h.header, h.body)
			}
		}
	}
}

// What is not acknowledged comes again, each time later, and not for ever.
func TestWebhooksAreRetriedUntilAcknowledged(t *testing.T) {
	for _, tt := range []struct {
		name     string
		receiver *receiver
		want     []time.Duration // after the first
	}{
		{"at once", &receiver{status: 204}, []time.Duration{0}},
		{"at the third", &receiver{status: 204, refuse: 2}, []time.Duration{0, time.Second, 3 * time.Second}},
		{"the wrong status", &receiver{status: 200}, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}},
		{"no receiver", &receiver{dead: true}, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}},
	} {
		var seen []emulator.Delivered
		o := &emulator.ServerOptions{
			Webhook: hookURL, Attempts: 4, Client: &http.Client{Transport: tt.receiver},
			Delivered: func(d emulator.Delivered) { seen = append(seen, d) },
		}
		served(t, "momo", pendingPlan, o, func(t *testing.T, c *http.Client, _ *emulator.Provider) {
			start(t, c, "momo")
			time.Sleep(time.Hour) // virtual
		})
		var got []time.Duration
		for _, h := range tt.receiver.received {
			got = append(got, h.at.Sub(tt.receiver.received[0].at))
		}
		if !reflect.DeepEqual(got, tt.want) || len(seen) != len(tt.want) {
			t.Errorf("%s: delivered at %v, want %v", tt.name, got, tt.want)
			continue
		}
		if last := seen[len(seen)-1]; last.Attempt != len(tt.want) || last.Acknowledged != (len(tt.want) < 4) || (last.Err != nil) != tt.receiver.dead {
			t.Errorf("%s: delivered %+v", tt.name, last)
		}
	}
}

// A request may name where its webhooks go, as long as that is here or where the operator
// says.
func TestWebhookTargets(t *testing.T) {
	for _, tt := range []struct{ named, operator, want string }{
		{"", hookURL, hookURL},
		{"", "", ""},
		{"http://127.0.0.1:9/ipn", hookURL, "http://127.0.0.1:9/ipn"},
		{"http://localhost:9/ipn", "", "http://localhost:9/ipn"},
		{"http://[::1]:9/ipn", "", "http://[::1]:9/ipn"},
		{"https://merchant.test:9/ipn", hookURL, "https://merchant.test:9/ipn"},
		{"http://169.254.169.254/latest", hookURL, ""},
		{"http://10.0.0.1/ipn", "", ""},
		{"http://127.0.0.1.evil.test/", "", ""},
		{"file:///etc/passwd", hookURL, ""},
		{"http://%zz", hookURL, ""},
	} {
		e := &receiver{status: 204}
		o := &emulator.ServerOptions{Webhook: tt.operator, Client: &http.Client{Transport: e}}
		served(t, "momo", pendingPlan, o, func(t *testing.T, c *http.Client, _ *emulator.Provider) {
			body := strings.Replace(paying("o-1", "r-1"), "}", `,"ipnUrl":"`+tt.named+`"}`, 1)
			if status, said, err := post(c, payPath, body); status != 200 {
				t.Fatalf("%d %s (%v)", status, said, err)
			}
			time.Sleep(time.Hour) // virtual
		})
		if got := strings.Join(e.visited, " "); got != tt.want {
			t.Errorf("%q beside %q: sent to %q, want %q", tt.named, tt.operator, got, tt.want)
		}
	}
}

// A webhook that is not acknowledged does not keep the server from stopping.
func TestServeStopsDespiteUndeliveredWebhooks(t *testing.T) {
	e := &receiver{dead: true}
	o := &emulator.ServerOptions{Webhook: hookURL, Backoff: 24 * time.Hour, Client: &http.Client{Transport: e}}
	served(t, "momo", pendingPlan, o, func(t *testing.T, c *http.Client, _ *emulator.Provider) {
		start(t, c, "momo")
		time.Sleep(2 * time.Minute) // virtual
	})
	if len(e.received) != 1 {
		t.Errorf("%d deliveries", len(e.received))
	}
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
