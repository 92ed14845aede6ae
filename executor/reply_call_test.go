package executor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// raw serves bare connections on the loopback until the test ends.
func raw(t *testing.T, serve func(net.Conn)) (addr string) {
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
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// tillArrival is a context whose deadline passes when a channel is closed: something that happens ends it, and no clock.
type tillArrival struct {
	context.Context
	over <-chan struct{}
}

func (c tillArrival) Done() <-chan struct{} { return c.over }

func (c tillArrival) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// deadPort refuses every dial. A port that was opened and closed for that may be another program's the next moment.
const deadPort = "127.0.0.1:1"

// client has connections of its own.
func client(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func post(t *testing.T, ctx context.Context, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(`{"orderId":"o-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k-1")
	return req
}

func wantFault(t *testing.T, err error, want policy.Fault) {
	t.Helper()
	if got := executor.FaultOf(err); got != want {
		t.Errorf("fault %q, want %q: %v", got, want, err)
	}
	if errors.Is(err, executor.ErrNotSent) && want != policy.NotSent {
		t.Errorf("it wraps ErrNotSent: %v", err)
	}
}

// answering reads a request, then answers with bytes and closes.
func answering(text string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		if readRequest(bufio.NewReader(c)) == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}

func readRequest(r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return err
}

func TestCallFaults(t *testing.T) {
	trusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer trusted.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()

	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	arrived := make(chan struct{}) // closed when the request that gets no answer has left
	silence := func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) == nil {
			close(arrived)
		}
		silent(c)
	}
	reset := func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) == nil {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		c.Close()
	}
	alert := func(c net.Conn) { // the other side refuses the handshake
		_, _ = bufio.NewReader(c).Peek(5)
		_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 40})
		c.Close()
	}
	for _, row := range []struct {
		name   string
		url    string
		want   policy.Fault
		status int
	}{
		{"refused port", "http://" + deadPort, policy.NotSent, 0},
		{"no such name", "http://unknown.invalid/", policy.NotSent, 0},
		{"untrusted certificate", trusted.URL, policy.NotSent, 0},
		{"TLS handshake that hangs", "https://" + raw(t, silent), policy.NotSent, 0},
		{"TLS handshake refused by the other side", "https://" + raw(t, alert), policy.NotSent, 0},
		{"TLS to a plain server", "https" + strings.TrimPrefix(plain.URL, "http"), policy.NotSent, 0},
		{"scheme", "ftp://127.0.0.1/", policy.NotSent, 0},
		{"no host", "http:///pay", policy.NotSent, 0},

		{"silence", "http://" + raw(t, silence), policy.Timeout, 0},
		{"reset after the request", "http://" + raw(t, reset), policy.Reset, 0},
		{"closed before headers", "http://" + raw(t, answering("")), policy.Reset, 0},
		{"headers cut off", "http://" + raw(t, answering("HTTP/1.1 200 OK\r\nContent-Le")), policy.Reset, 0},
		{"not HTTP", "http://" + raw(t, answering("nonsense\r\n\r\n")), policy.Reset, 0},
		{"half a body", "http://" + raw(t, answering("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":1")), policy.Reset, 200},
		{"chunks cut off", "http://" + raw(t, answering("HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n9\r\n1")), policy.Reset, 502},
		{"huge body", "http://" + raw(t, answering("HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", 1<<20+1))), policy.Unreadable, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			patience := time.Minute
			if strings.Contains(row.name, "hangs") {
				patience = 500 * time.Millisecond
			}
			ctx, stop := context.WithTimeout(t.Context(), patience)
			defer stop()
			if row.name == "silence" {
				ctx = tillArrival{t.Context(), arrived}
			}
			r, err := executor.Call(client(t), post(t, ctx, row.url))
			wantFault(t, err, row.want)
			if row.want == policy.NotSent && !errors.Is(err, executor.ErrNotSent) {
				t.Errorf("it does not wrap ErrNotSent: %v", err)
			}
			if r.HTTPStatus != row.status || r.Body != nil {
				t.Errorf("reply %+v, want status %d and no body", r, row.status)
			}
		})
	}
}

// A deadline while waiting for one of few connections: nothing left.
func TestCallWaitingForAConnection(t *testing.T) {
	hc := client(t)
	hc.Transport.(*http.Transport).MaxConnsPerHost = 1
	begun := make(chan struct{})
	addr := raw(t, func(c net.Conn) {
		_ = readRequest(bufio.NewReader(c))
		close(begun)
	})
	first, stopFirst := context.WithCancel(t.Context())
	over := make(chan error)
	go func() {
		_, err := executor.Call(hc, post(t, first, "http://"+addr))
		over <- err
	}()
	<-begun
	second, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_, err := executor.Call(hc, post(t, second, "http://"+addr))
	wantFault(t, err, policy.NotSent)
	stopFirst()
	wantFault(t, <-over, policy.Timeout)
}

func TestCallRefusesBeforeSending(t *testing.T) {
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := executor.Call(client(t), post(t, ctx, s.URL))
	wantFault(t, err, policy.NotSent)

	req := post(t, t.Context(), s.URL)
	req.Header.Set("Authorization", "key\n") // as it is read from a file
	_, err = executor.Call(client(t), req)
	wantFault(t, err, policy.NotSent)
	if strings.Contains(fmt.Sprint(err), "key") {
		t.Errorf("the error shows the key: %v", err)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// net/http sends a request again when a reused connection dies under it and the header
// Idempotency-Key is there, with a body that can be rewound or with none.
func TestCallNeverSendsTwice(t *testing.T) {
	for name, body := range map[string]io.Reader{"body": strings.NewReader("{}"), "no body": nil} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			addr := raw(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				defer c.Close()
				for n := 1; readRequest(r) == nil; n++ {
					requests.Add(1)
					if n == 2 {
						return // it may have charged
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			})
			hc := client(t)
			if _, err := executor.Call(hc, post(t, t.Context(), "http://"+addr)); err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Idempotency-Key", "k-2")
			rewind := req.GetBody != nil
			_, err = executor.Call(hc, req)
			wantFault(t, err, policy.Reset)
			if n := requests.Load(); n != 2 {
				t.Errorf("%d requests arrived for two calls", n)
			}
			if (req.GetBody != nil) != rewind || req.Header.Get("Idempotency-Key") != "k-2" {
				t.Error("the caller's request was modified")
			}
		})
	}
}

// The header that is hidden from net/http arrives all the same.
func TestCallKeepsTheIdempotencyKey(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Idempotency-Key"), " ", r.ContentLength)
	}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k-3")
	if r, err := executor.Call(client(t), req); err != nil || string(r.Body) != "k-3 0" {
		t.Errorf("%q, %v", r.Body, err)
	}
}

func TestCallFollowsNoRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var requests atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			http.Redirect(w, r, "/elsewhere", status)
		}))
		hc := client(t)
		r, err := executor.Call(hc, post(t, t.Context(), s.URL))
		if err != nil || r.HTTPStatus != status || requests.Load() != 1 || hc.CheckRedirect != nil {
			t.Errorf("%d: status %d, %d requests, error %v, client changed: %v", status, r.HTTPStatus, requests.Load(), err, hc.CheckRedirect != nil)
		}
		s.Close()
	}
}

// A client's own status may be any number. The rules see those that HTTP has.
func TestAStatusThatHTTPDoesNotHave(t *testing.T) {
	for _, status := range []int{-1, 1000} {
		bubble(t, func(t *testing.T) {
			said := executor.Reply{HTTPStatus: status, Answer: &policy.Answer{Code: "0", OrderID: "o-k"}}
			x := open(t, defaults(), executor.Config{})
			r := carry(t, x, payment("k"), &paid{said})
			if got := r.State().Evidence[0].Answer.HTTPStatus; got != 0 {
				t.Errorf("status %d reads as %d", status, got)
			}
		})
	}
}
