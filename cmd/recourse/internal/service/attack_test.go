package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
)

// send sends a request as it is, with some headers.
func (a *api) send(method, path, body string, headers map[string]string) *http.Response {
	a.t.Helper()
	r, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for name, value := range headers {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer
}

// A browser on the machine must not begin payments, or hand in a webhook as verified, for a page that a person looks at.
func TestAWebPageCannotCall(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	paid := `{"provider":"momo","merchant":"shop","verified":true,"body":"{}"}`
	kind := "application/json"
	for _, c := range []struct {
		status  int
		headers map[string]string
	}{
		{204, map[string]string{"Content-Type": kind}},
		{204, map[string]string{"Content-Type": kind + "; charset=utf-8", "Sec-Fetch-Site": "none"}},
		{204, map[string]string{"Content-Type": kind, "Host": "localhost:8377", "Origin": "http://localhost:8377"}},
		{204, map[string]string{"Content-Type": kind, "Host": "pay.localhost"}},
		{204, map[string]string{"Content-Type": kind, "Host": "[::1]:8377"}},
		{403, map[string]string{"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}},
		{403, map[string]string{"Content-Type": kind, "Sec-Fetch-Site": "same-site"}},
		{403, map[string]string{"Content-Type": kind, "Origin": "https://page.example"}},
		{403, map[string]string{"Content-Type": kind, "Origin": "null"}},
		{403, map[string]string{"Content-Type": kind, "Host": "page.example"}}, // its name resolves to loopback
		{403, map[string]string{"Content-Type": kind, "Host": "page.example:8377", "Origin": "http://page.example:8377"}},
		{403, map[string]string{"Content-Type": kind, "Host": "localhost.page.example"}},
		{415, map[string]string{}}, // a page may send this without asking
		{415, map[string]string{"Content-Type": "text/plain"}},
		{415, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		{415, map[string]string{"Content-Type": "application/merge-patch+json"}},
	} {
		if got := a.send("POST", "/v1/webhooks", paid, c.headers); got.StatusCode != c.status {
			t.Errorf("%v: %d, want %d", c.headers, got.StatusCode, c.status)
		}
	}
	for _, path := range []string{"/v1/decide", "/v1/codes/momo", "/openapi.json", "/v1/flows/f-1"} {
		if got := a.send("GET", path, "", map[string]string{"Host": "page.example"}); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s by a foreign name: %d", path, got.StatusCode)
		}
	}
	if got := a.send("GET", "/healthz", "", map[string]string{"Host": "page.example"}); got.StatusCode != http.StatusNoContent {
		t.Errorf("a probe by a foreign name: %d", got.StatusCode)
	}
	b := newAPI(t, service.Options{Access: callers(t, access.Simple("the token of programs", ""))})
	if got := b.send("GET", "/v1/codes/momo", "", map[string]string{"Host": "pay.internal", "Authorization": "Bearer the token of programs"}); got.StatusCode != http.StatusOK {
		t.Errorf("with a token a name is no danger: %d", got.StatusCode)
	}
}

// What two programs could read in two ways is refused before anything begins.
func TestARequestHasOneMeaning(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	good := start("caller-01", "k1")
	for name, body := range map[string]string{
		"an amount twice":        strings.Replace(good, `"amount":50000`, `"amount":50000,"amount":1`, 1),
		"a tag twice":            strings.Replace(good, `"amount"`, `"tags":{"a":"b","a":"c"},"amount"`, 1),
		"an amount in capitals":  strings.Replace(good, `"amount":50000`, `"amount":50000,"AMOUNT":1`, 1),
		"a key in capitals":      strings.Replace(good, `"payment_key"`, `"Payment_Key"`, 1),
		"a letter like an s":     strings.Replace(good, `"merchant":"shop"`, `"merchant":"shop","payment_ſey":"x"`, 1),
		"a key in Latin-1":       strings.Replace(good, `"k1"`, "\"k\xe9\"", 1),
		"half a character":       strings.Replace(good, `"k1"`, `"k\ud800"`, 1),
		"a line break":           strings.Replace(good, `"k1"`, `"k1\n"`, 1),
		"a zero":                 strings.Replace(good, `"order-k1"`, `"order-k1\u0000"`, 1),
		"a space":                strings.Replace(good, `"shop"`, `"shop "`, 1),
		"something that follows": good + `{}`,
		"a byte order mark":      "\ufeff" + good,
		"a fraction":             strings.Replace(good, `50000`, `50000.0`, 1),
		"an exponent":            strings.Replace(good, `50000`, `5e4`, 1),
		"too large":              strings.Replace(good, `50000`, `9223372036854775808`, 1),
		"minus zero":             strings.Replace(good, `50000`, `-0`, 1),
		"a long order":           strings.Replace(good, `"order-k1"`, `"`+strings.Repeat("o", 501)+`"`, 1),
		"a long merchant":        strings.Replace(good, `"shop"`, `"`+strings.Repeat("m", 501)+`"`, 1),
		"deep":                   strings.Repeat("[", 500_000),
		"a caller by the second": strings.Replace(good, run("caller-01"), fmt.Sprint(began), 1),
		"a caller by the host":   strings.Replace(good, run("caller-01"), fmt.Sprint(began, "-web01"), 1),
	} {
		status, text := a.raw("POST", "/v1/flows", "application/json", body)
		if status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
		if len(text) > 2000 {
			t.Errorf("%s: an error of %d bytes repeats the request", name, len(text))
		}
	}
	// A provider's body is passed on as it came.
	step := a.do(200, "POST", "/v1/flows", good)
	report := fmt.Sprintf(`{"caller":%q,"command":%q,"http_status":200,"headers":{"A":"1","a":"2"},"body":{"orderId":"x","orderId":"y","n":[{"a":1,"a":2}]}}`, run("caller-01"), step["command"])
	a.do(200, "POST", "/v1/flows/"+step["flow"].(string)+"/reports", report)
}

// A program logs the errors that it gets: they must not hold the rest of its request.
func TestErrorsDoNotRepeatTheRequest(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	secret := "4111111111111111"
	for _, body := range []string{
		`{"data":"` + secret + `"`,
		strings.Replace(start("caller-01", "k1"), `"amount":50000`, `"amount":1e3,"data":"`+secret+`"`, 1),
		strings.Replace(start("caller-01", "k1"), `"amount"`, `"data":["`+secret+`"],"amount"`, 1),
		strings.Replace(start("caller-01", "k1"), `"payment_key":"k1"`, `"data":"`+secret+`"`, 1),
	} {
		if status, text := a.raw("POST", "/v1/flows", "application/json", body); status < 400 || strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

// A call that is repeated begins no flow, so no limit stands in its way: an error would say that there is none.
func TestTheLimitLetsARepeatedCallThrough(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), PerMerchant: 0.001, Burst: 1})
	step := a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1"))
	a.do(429, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k2"))
	if again := a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1")); again["command"] != step["command"] {
		t.Errorf("the first call again: %v", again)
	}
	flow := "/v1/flows/" + step["flow"].(string)
	a.do(200, "POST", flow+"/withdraw?wait_ms=0", `{"why":"the shopper left"}`)
	a.do(200, "POST", flow+"/reports", fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"not_sent"}`, run("caller-01"), step["command"]))
	a.do(429, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1")) // this one would begin another
}

// Nothing is sent from not_after on: neither by a caller that comes late, nor by one that asks again.
func TestNoSendIsGivenOutAfterNotAfter(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	limit := time.Now().Add(4 * time.Second) // a busy machine needs some of it
	begin := func(caller, key string) string {
		return strings.Replace(start(caller, key), `"amount"`, fmt.Sprintf(`"not_after":%q,"amount"`, limit.Format(time.RFC3339Nano)), 1)
	}
	taken := a.do(200, "POST", "/v1/flows", begin("caller-01", "k1"))
	if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(taken["not_after"])); err != nil || !at.Equal(limit) {
		t.Errorf("the step says not_after %v, want %s", taken["not_after"], limit)
	}
	time.Sleep(time.Until(limit))
	for _, caller := range []string{"caller-01", "caller-02"} {
		if step := a.do(200, "GET", "/v1/flows/"+taken["flow"].(string)+"?wait_ms=0&caller="+run(caller), ""); step["do"] != "busy" {
			t.Errorf("%s after not_after: %v", caller, step)
		}
	}
	if again := a.do(200, "POST", "/v1/flows?wait_ms=0", begin("caller-03", "k1")); again["flow"] != taken["flow"] || again["do"] != "busy" {
		t.Errorf("the program was started again: %v", again)
	}
	a.do(422, "POST", "/v1/flows?wait_ms=0", begin("caller-03", "k2"))
	report := fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"timeout"}`, run("caller-01"), taken["command"])
	if step := a.do(200, "POST", "/v1/flows/"+taken["flow"].(string)+"/reports", report); step["do"] != "wait" {
		t.Errorf("who sent before may report: %v", step)
	}
}

// A webhook's URL may be about some operations alone. What can never be taken is not answered with 503, which says that it can be repeated.
func TestWebhooksThatAreRefused(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	a.do(204, "POST", "/v1/webhooks", `{"provider":"momo","operations":["pay","refund"],"body":"{}"}`)
	a.do(422, "POST", "/v1/webhooks", `{"provider":"momo","operations":["steal"],"body":"{}"}`)
	a.do(422, "POST", "/v1/webhooks", `{"provider":"momx","body":"{}"}`)
}

// Each operation that the description names can be begun.
func TestOperationsThatAreDescribed(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	schemas := a.doc["components"].(map[string]any)["schemas"].(map[string]any)
	for _, operation := range schemas["StartBody"].(map[string]any)["properties"].(map[string]any)["operation"].(map[string]any)["enum"].([]any) {
		body := strings.Replace(start("caller-01", "k-"+operation.(string)), `"pay"`, fmt.Sprintf("%q", operation), 1)
		a.do(200, "POST", "/v1/flows?wait_ms=0", body)
	}
}

// A step must not come out of a cache, and HEAD must not take a command that it cannot hand over.
func TestHeadAndCaches(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	for _, c := range []struct {
		status       int
		method, path string
		allow        string
	}{
		{405, "HEAD", "/v1/flows/f-1?caller=" + run("caller-01"), "GET"},
		{405, "HEAD", "/v1/decide", "POST"},
		{405, "PUT", "/v1/flows", "POST"},
		{405, "DELETE", "/v1/flows/f-1", "GET"},
		{405, "GET", "/v1/decide", "POST"},
		{405, "POST", "/healthz", "GET"},
		{404, "GET", "/v1", ""},
		{404, "GET", "/v1/flows/f-1/reports/x", ""},
		{404, "GET", "/v1/flows/f-1", ""},
		{200, "GET", "/v1/codes/momo", ""},
	} {
		got := a.send(c.method, c.path, "", map[string]string{"Content-Type": "application/json"})
		if got.StatusCode != c.status || got.Header.Get("Allow") != c.allow || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %v", c.method, c.path, got.StatusCode, got.Header)
		}
		if kind := got.Header.Get("Content-Type"); c.status >= 400 && kind != "application/problem+json" {
			t.Errorf("%s %s: the error is of type %q", c.method, c.path, kind)
		}
	}
}

// An alert names the flow and what was said, and no person.
func TestAlertsAreLoggedWithoutCustomers(t *testing.T) {
	var log lockedBuffer
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	step := a.do(200, "POST", "/v1/flows", strings.Replace(start("caller-01", "k1"), `"amount"`, `"tags":{"customer":"Nguyen"},"data":"basket 9","amount"`, 1))
	flow := "/v1/flows/" + step["flow"].(string)
	said := func(code int) string {
		return fmt.Sprintf(`{"partnerCode":"P","orderId":"order-k1","requestId":%q,"amount":50000,"transId":77,"resultCode":%d,"message":"of Nguyen","orderType":"momo_wallet"}`, step["request_id"], code)
	}
	if end := a.do(200, "POST", flow+"/reports", fmt.Sprintf(`{"caller":%q,"command":%q,"http_status":200,"body":%s}`, run("caller-01"), step["command"], said(1006))); end["outcome"] != "failed" {
		t.Fatal(end)
	}
	notice, err := json.Marshal(map[string]any{"provider": "momo", "merchant": "shop", "verified": true, "body": said(0)})
	if err != nil {
		t.Fatal(err)
	}
	a.do(204, "POST", "/v1/webhooks", string(notice))
	for range 6000 { // a minute
		if strings.Contains(log.String(), `"msg":"alert"`) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	text := log.String()
	for _, want := range []string{`"msg":"alert"`, "order-k1", "marked failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %s: %s", want, text)
		}
	}
	for _, never := range []string{"Nguyen", "basket"} {
		if strings.Contains(text, never) {
			t.Errorf("the log says %s: %s", never, text)
		}
	}
}

// A caller that stops in the middle of a question or of a batch, or does not read the answer, loses its connection.
func TestSlowCallersAreCutOff(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	question := `{"provider":"momo","operation":"pay","code":0}` + "\n"
	for name, c := range map[string]struct {
		kind, body, want string
		within           time.Duration
		token            string
		reads            bool
	}{
		"a question":      {"application/json", "{", "408", 11 * time.Second, "", true},
		"without a token": {"application/json", "{", "401", 11 * time.Second, "the token of programs", true},
		"a batch":         {"application/x-ndjson", question, "200", 61 * time.Second, "", true},
		"who never reads": {"application/x-ndjson", strings.Repeat(question, 100_000), "", 61 * time.Second, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := service.New(t.Context(), service.Options{Rules: liveRules(t, e), Access: callers(t, access.Simple(c.token, ""))})
				if err != nil {
					t.Fatal(err)
				}
				ours, theirs := net.Pipe()
				ended := make(chan struct{})
				server := &http.Server{Handler: s, ConnState: func(_ net.Conn, state http.ConnState) {
					if state == http.StateClosed {
						close(ended)
					}
				}}
				go func() { _ = server.Serve(&oneConn{conn: theirs, over: make(chan struct{})}) }()
				began := time.Now()
				go func() {
					fmt.Fprintf(ours, "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 9000000\r\n\r\n%s", c.kind, c.body)
				}()
				if c.reads {
					text, _ := io.ReadAll(ours)
					if !strings.HasPrefix(string(text), "HTTP/1.1 "+c.want) {
						t.Errorf("the answer is %.300s", text)
					}
				}
				<-ended
				if took := time.Since(began); took > c.within {
					t.Errorf("the connection was there for %s", took)
				}
				ours.Close()
				_ = server.Close()
			})
		})
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn net.Conn
	over chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.over
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { close(l.over); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
