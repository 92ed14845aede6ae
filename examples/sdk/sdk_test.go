package sdk_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/midtrans/midtrans-go"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/examples/sdk"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// provider serves bare connections, and keeps what arrives.
type provider struct {
	answer func(c net.Conn, n int)

	mu       sync.Mutex
	requests []*http.Request
}

func (p *provider) serve(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		p.mu.Lock()
		p.requests = append(p.requests, req)
		n := len(p.requests)
		p.mu.Unlock()
		p.answer(c, n)
	}
}

func (p *provider) arrived() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// transport dials the provider, whatever host an SDK wants: two have theirs built in.
func (p *provider) transport(t *testing.T) *http.Transport {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go p.serve(c)
		}
	}()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
	tr := &http.Transport{DialContext: dial, DialTLSContext: dial}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// clients are the SDKs, on a transport.
func clients(tr *http.Transport) map[string]executor.Client {
	return map[string]executor.Client{
		"stripe":      sdk.NewStripe("sk_test_1", "http://stripe.invalid", tr),
		"midtrans":    &sdk.Midtrans{ServerKey: "SB-1", Env: midtrans.Sandbox, Once: executor.Once{Transport: tr}},
		"razorpay":    &sdk.Razorpay{Key: "rzp", Secret: "s", Once: executor.Once{Transport: tr}},
		"mercadopago": &sdk.MercadoPago{Token: "t", Once: executor.Once{Transport: tr}},
	}
}

// observer keeps the first send, and stops the payment after it.
type observer struct {
	executor.NoopObserver
	stop  func()
	first sync.Once
	event executor.CallEvent
}

func (o *observer) Called(_ context.Context, c *executor.CallEvent) {
	if c.Phase == policy.Send {
		o.first.Do(func() { o.event = *c; o.stop() })
	}
}

// attempt makes one attempt of a payment by a client.
func attempt(t *testing.T, c executor.Client, key string) *executor.CallEvent {
	t.Helper()
	rules, err := engine.OpenFS(testkit.Door)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	o := &observer{stop: stop}
	x, err := executor.New(rules, &executor.Config{Observers: []executor.Observer{o}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = x.Do(ctx, executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: key, Amount: 120_000, Currency: "VND"},
		OrderID: "o-" + key, RequestID: "r-" + key, ProviderID: "p-" + key, Data: []byte(`{"token":"tok_1"}`),
	}, c)
	closing, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_ = x.Close(closing)
	return &o.event
}

// Whatever the provider does to the request, one leaves in an attempt, and its outcome is read from the wire.
func TestOneRequestLeaves(t *testing.T) {
	text := func(s string) func(net.Conn, int) {
		return func(c net.Conn, _ int) { _, _ = io.WriteString(c, s); c.Close() }
	}
	for name, row := range map[string]struct {
		answer func(net.Conn, int)
		want   policy.Fault
		status int
	}{
		"closed":    {func(c net.Conn, _ int) { c.Close() }, policy.Reset, 0},
		"reset":     {func(c net.Conn, _ int) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }, policy.Reset, 0},
		"500":       {text("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}"), policy.NoFault, 500},
		"502 HTML":  {text("HTTP/1.1 502 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), policy.NoFault, 502},
		"409":       {text("HTTP/1.1 409 No\r\nContent-Length: 2\r\n\r\n{}"), policy.NoFault, 409},
		"empty 200": {text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), policy.NoFault, 200},
		"cut 200":   {text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":"), policy.Reset, 200},
		"307":       {text("HTTP/1.1 307 Go\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n"), policy.Reset, 307},
		"303":       {text("HTTP/1.1 303 Go\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n"), policy.Reset, 303},
	} {
		for which := range clients(nil) {
			t.Run(name+"/"+which, func(t *testing.T) {
				p := &provider{answer: row.answer}
				e := attempt(t, clients(p.transport(t))[which], "k-1")
				all := p.arrived()
				if len(all) != 1 {
					t.Fatalf("%d requests arrived", len(all))
				}
				if f := executor.FaultOf(e.Err); f != row.want || e.Reply.HTTPStatus != row.status {
					t.Errorf("fault %q, status %d, want %q and %d: %v", f, e.Reply.HTTPStatus, row.want, row.status, e.Err)
				}
				if !named(all[0], "r-k-1") {
					t.Errorf("the request does not bear the attempt's id: %v", all[0].Header)
				}
			})
		}
	}
}

// named reports whether a request has the attempt's id as its idempotency key.
func named(req *http.Request, id string) bool {
	for name, values := range req.Header {
		if strings.Contains(strings.ToLower(name), "idempotency") && values[0] == id {
			return true
		}
	}
	return false
}

// A kept-alive connection on which the second payment's request is read and no answer comes.
func TestOneRequestLeavesOnAReusedConnection(t *testing.T) {
	for which := range clients(nil) {
		t.Run(which, func(t *testing.T) {
			p := &provider{answer: func(c net.Conn, n int) {
				if n > 1 {
					c.Close()
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"id\":\"1\"}")
			}}
			c := clients(p.transport(t))[which]
			attempt(t, c, "k-1")
			e := attempt(t, c, "k-2")
			if n := len(p.arrived()); n != 2 {
				t.Errorf("%d requests arrived for two attempts", n)
			}
			if f := executor.FaultOf(e.Err); f != policy.Reset {
				t.Errorf("fault %q: %v", f, e.Err)
			}
		})
	}
}

// Only a refused dial proves that nothing left, also where the SDK tries again.
func TestRefusedDialIsNotSent(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: io.ErrClosedPipe}
	}
	for which, c := range clients(&http.Transport{DialContext: dial, DialTLSContext: dial}) {
		if e := attempt(t, c, "k-1"); executor.FaultOf(e.Err) != policy.NotSent {
			t.Errorf("%s: fault %q: %v", which, executor.FaultOf(e.Err), e.Err)
		}
	}
}
