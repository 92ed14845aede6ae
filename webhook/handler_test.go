package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/webhook"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// shape is one with parts of a header, a tolerance, a nonce and a reply.
func shape(t *testing.T) *providers.WebhookShape {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	err = cs.Add("acme.toml", []byte(`name = "acme"
operations = ["pay"]
[webhook]
signature       = "header:Acme-Signature#v1"
timestamp       = "header:Acme-Signature#t"
timestamp_unit  = "seconds"
tolerance       = "5m"
nonce           = "header:Acme-Nonce"
signed          = "text"
text            = "{header:Acme-Signature#t}.{header:Acme-Nonce}.{body}"
acknowledged    = 200
reply           = { ok = "true" }
acknowledgement = '{"ok":"true"}'
`))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := cs.Get("acme")
	s, _ := c.Webhook()
	return s
}

// shop is where the webhooks go.
type shop struct {
	mu   sync.Mutex
	got  []executor.Webhook
	fail error
	wait chan struct{}
	errs []string
	h    *webhook.Handler
}

func open(t *testing.T, secrets ...string) *shop {
	s := &shop{}
	s.h = &webhook.Handler{
		Notify: s.notify, Shape: shape(t), Secrets: secrets, About: executor.Webhook{Provider: "acme", Merchant: "m"},
		OnError: func(err error) { s.mu.Lock(); s.errs = append(s.errs, err.Error()); s.mu.Unlock() }, WallTime: func() time.Time { return noon },
	}
	return s
}

func (s *shop) notify(_ context.Context, w executor.Webhook) error {
	s.mu.Lock()
	s.got = append(s.got, w)
	fail, wait := s.fail, s.wait
	s.mu.Unlock()
	if wait != nil {
		<-wait
	}
	return fail
}

func (s *shop) verified() string {
	text := ""
	for _, w := range s.got {
		text += map[bool]string{true: "v", false: "-"}[w.Verified]
	}
	return text
}

func signed(t *testing.T, s *shop, secret string, at time.Time, body string) *http.Request {
	t.Helper()
	headers, raw, err := s.h.Shape.Sign(secret, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/hook", strings.NewReader(string(raw)))
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return r
}

func (s *shop) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

const body = `{"orderId":"o-1"}`

func TestAWebhookIsVerifiedHandedInAndAcknowledged(t *testing.T) {
	s := open(t, "old", "new")
	w := s.serve(signed(t, s, "new", noon, body))
	if w.Code != 200 || w.Body.String() != `{"ok":"true"}` || w.Header().Get("Content-Type") != "application/json" || s.verified() != "v" {
		t.Errorf("%d %s, handed in %q, errors %q", w.Code, w.Body, s.verified(), s.errs)
	}
	if got := s.got[0]; got.Provider != "acme" || got.Merchant != "m" || string(got.Body) != body || got.Header.Get("Acme-Nonce") == "" {
		t.Errorf("%+v", got)
	}
}

// What is not verified is handed in as that, and its sender gets no acknowledgement and no reason.
func TestWhatIsNotVerifiedProvesNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		secret string
		at     time.Time
		change func(r *http.Request)
		why    string
	}{
		{"another key", "forged", noon, nil, "its signature is not one that the secret makes"},
		{"too old", "key", noon.Add(-6 * time.Minute), nil, "its timestamp 2026-01-02T11:54:00Z is 6m0s off; at most 5m0s are accepted"},
		{"of the future", "key", noon.Add(6 * time.Minute), nil, "is 6m0s off"},
		{"no signature", "key", noon, func(r *http.Request) { r.Header.Del("Acme-Signature") }, "it has no signature at header Acme-Signature#v1"},
		{"another nonce", "key", noon, func(r *http.Request) { r.Header.Set("Acme-Nonce", "n") }, "its signature is not one that the secret makes"},
	} {
		s := open(t, "key")
		r := signed(t, s, tt.secret, tt.at, body)
		if tt.change != nil {
			tt.change(r)
		}
		w := s.serve(r)
		if w.Code != 401 || strings.TrimSpace(w.Body.String()) != "Unauthorized" || s.verified() != "-" || len(s.errs) != 1 || !strings.Contains(s.errs[0], tt.why) {
			t.Errorf("%s: %d %s, handed in %q, errors %q", tt.name, w.Code, w.Body, s.verified(), s.errs)
		}
	}
}

// A copy is acknowledged, as the first was, and proves nothing.
func TestACopyProvesNothing(t *testing.T) {
	s := open(t, "key")
	first, copied := signed(t, s, "key", noon, body), signed(t, s, "key", noon, body)
	if w := s.serve(first); w.Code != 200 {
		t.Fatal(w.Code)
	}
	if w := s.serve(copied); w.Code != 200 || s.verified() != "v-" {
		t.Errorf("%d, handed in %q, errors %q", w.Code, s.verified(), s.errs)
	}
}

// What could not be stored is not acknowledged, and counts when it comes again.
func TestWhatIsNotStoredComesAgain(t *testing.T) {
	s := open(t, "key")
	s.fail = errors.New("the disk is full")
	if w := s.serve(signed(t, s, "key", noon, body)); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
	s.fail = nil
	if w := s.serve(signed(t, s, "key", noon, body)); w.Code != 200 || s.verified() != "vv" {
		t.Errorf("%d, handed in %q, errors %q", w.Code, s.verified(), s.errs)
	}
}

// While one copy is being handed in, another is not acknowledged: it is not known yet whether it may be.
func TestACopyAtTheSameTimeIsNotAcknowledged(t *testing.T) {
	s := open(t, "key")
	s.wait = make(chan struct{})
	one, two := signed(t, s, "key", noon, body), signed(t, s, "key", noon, body)
	done := make(chan int)
	go func() { done <- s.serve(one).Code }()
	for {
		s.mu.Lock()
		n := len(s.got)
		s.mu.Unlock()
		if n == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if w := s.serve(two); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	close(s.wait)
	if code := <-done; code != 200 || s.verified() != "v" {
		t.Errorf("%d, handed in %q", code, s.verified())
	}
}

// A nonce is kept when Notify panics no more than when it fails.
func TestAPanicFreesTheNonce(t *testing.T) {
	s := open(t, "key")
	s.h.Notify = func(context.Context, executor.Webhook) error { panic("oh") }
	func() {
		defer func() { _ = recover() }()
		s.serve(signed(t, s, "key", noon, body))
	}()
	s.h.Notify = s.notify
	if w := s.serve(signed(t, s, "key", noon, body)); w.Code != 200 || s.verified() != "v" {
		t.Errorf("%d, handed in %q, errors %q", w.Code, s.verified(), s.errs)
	}
}

// One that names no flow is acknowledged: it would name none the next time either.
func TestAnUnknownFlowIsAcknowledged(t *testing.T) {
	s := open(t, "key")
	s.fail = fmt.Errorf("wrapped: %w", executor.ErrUnknownFlow)
	if w := s.serve(signed(t, s, "key", noon, body)); w.Code != 200 || len(s.errs) != 1 || !strings.Contains(s.errs[0], "names no flow") {
		t.Errorf("%d, errors %q", w.Code, s.errs)
	}
}

func TestABodyIsBounded(t *testing.T) {
	for _, tt := range []struct {
		most int64
		size int
		want int
	}{{0, 256 << 10, 401}, {0, 256<<10 + 1, 413}, {10, 10, 401}, {10, 11, 413}, {1 << 30, 256<<10 + 1, 413}} {
		s := open(t, "key")
		s.h.MaxBody = tt.most
		if w := s.serve(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", tt.size)))); w.Code != tt.want {
			t.Errorf("%d bytes, at most %d: %d", tt.size, tt.most, w.Code)
		}
	}
}

// A store that fails, and a handler without its fields, verify nothing.
func TestFailuresAreRefused(t *testing.T) {
	s := open(t, "key")
	s.h.Nonces = broken{}
	if w := s.serve(signed(t, s, "key", noon, body)); w.Code != 500 || s.verified() != "-" {
		t.Errorf("%d, handed in %q", w.Code, s.verified())
	}
	for _, h := range []*webhook.Handler{
		{Shape: s.h.Shape, Secrets: []string{"k"}}, {Notify: s.notify, Secrets: []string{"k"}}, {Notify: s.notify, Shape: s.h.Shape},
	} {
		said := ""
		h.OnError = func(err error) { said = err.Error() }
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
		if w.Code != 500 || !strings.HasPrefix(said, "webhook: Handler.") {
			t.Errorf("%d %q", w.Code, said)
		}
	}
}

type broken struct{}

func (broken) Take(context.Context, string, time.Duration) (bool, error) {
	return true, errors.New("no connection")
}
func (broken) Free(context.Context, string) error { return nil }
