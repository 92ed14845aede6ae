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
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// sdkClient is a client whose Send is a function, and what that returned. Its queries find a success.
type sdkClient func(ctx context.Context, a *executor.Attempt) (executor.Reply, error)

func (w sdkClient) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w(ctx, a)
}

func (w sdkClient) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

// attempted makes one attempt of a payment, and returns what the client returned and what the executor
// read from that.
func attempted(t *testing.T, patience time.Duration, send sdkClient) (r executor.Reply, read policy.Answer, err error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	seen := &calledOnce{stop: stop}
	x := open(t, defaults(), executor.Config{Observers: []executor.Observer{seen}})
	_, _ = x.Do(ctx, payment("once"), sdkClient(func(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
		r, err = send(ctx, a)
		return r, err
	}))
	_ = shutDown(x)
	return seen.reply, seen.answer, seen.err
}

// calledOnce keeps the first send.
type calledOnce struct {
	executor.NoopObserver
	mu     sync.Mutex
	reply  executor.Reply
	err    error
	answer policy.Answer
	kept   bool
	stop   func() // the payment, which would be queried now
}

func (o *calledOnce) Called(_ context.Context, c *executor.CallEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.kept && c.Phase == policy.Send {
		o.kept, o.reply, o.err, o.answer = true, c.Reply, c.Err, c.Answer
		o.stop()
	}
}

// stubborn is what SDKs do: it sends again after every error and every 5xx, under a new key, and returns
// what the last try got.
func stubborn(ctx context.Context, hc *http.Client, url string) error {
	var last error
	for n := range 4 {
		req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(`{"orderId":"o-1"}`))
		if err != nil {
			return err
		}
		req.Header.Set("Idempotency-Key", fmt.Sprint("k-", n))
		resp, err := hc.Do(req)
		if err != nil {
			last = err
			continue
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode < 500 {
			return nil
		}
		last = fmt.Errorf("status %d, %w", resp.StatusCode, err)
	}
	return last
}

// posts serves bare connections and counts the requests.
func posts(t *testing.T, answer func(c net.Conn, n int32)) (url string, count *atomic.Int32) {
	t.Helper()
	count = new(atomic.Int32)
	addr := raw(t, func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for readRequest(r) == nil {
			answer(c, count.Add(1))
		}
	})
	return "http://" + addr, count
}

// Whatever the provider does, and however often an SDK tries, one request leaves and its own outcome counts.
func TestOnceLetsOneRequestLeave(t *testing.T) {
	say := func(text string) func(net.Conn, int32) {
		return func(c net.Conn, _ int32) { _, _ = io.WriteString(c, text); c.Close() }
	}
	for _, row := range []struct {
		name   string
		answer func(net.Conn, int32)
		want   policy.Fault
		status int
	}{
		{"closed", func(c net.Conn, _ int32) { c.Close() }, policy.Reset, 0},
		{"reset", func(c net.Conn, _ int32) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }, policy.Reset, 0},
		{"503", say("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}"), policy.NoFault, 503},
		{"cut 200", say("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":1"), policy.Reset, 200},
		{"307", say("HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), policy.Reset, 307},
		{"302 to a page of another payment", say("HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), policy.Reset, 302},
		{"silence", func(net.Conn, int32) { select {} }, policy.Timeout, 0},
	} {
		for _, way := range []string{"Call", "the client of Call", "transport"} {
			t.Run(row.name+"/"+way, func(t *testing.T) {
				arrived := make(chan struct{})
				url, count := posts(t, func(c net.Conn, n int32) {
					if n == 1 {
						close(arrived)
					}
					row.answer(c, n)
				})
				hc := client(t)
				once := &executor.Once{Transport: hc.Transport}
				guarded := &http.Client{Transport: once}
				r, read, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
					if row.name == "silence" {
						ctx = tillArrival{ctx, arrived}
					}
					switch way {
					case "Call":
						return once.Call(ctx, func(ctx context.Context, _ *http.Client) error { return stubborn(ctx, guarded, url) })
					case "transport":
						err := stubborn(ctx, guarded, url)
						wantDoubt(t, err)
						return executor.Reply{}, err
					}
					return once.Call(ctx, func(_ context.Context, hc *http.Client) error {
						return stubborn(context.Background(), hc, url) // an SDK that knows no context
					})
				})
				if n := count.Load(); n != 1 {
					t.Errorf("%d requests arrived", n)
				}
				if way == "transport" {
					if read.Fault == policy.NoFault || read.Fault == policy.NotSent {
						t.Errorf("fault %q: %v", read.Fault, err)
					}
					return
				}
				if got := executor.FaultOf(err); got != row.want || r.HTTPStatus != row.status {
					t.Errorf("fault %q, status %d, want %q and %d: %v", got, r.HTTPStatus, row.want, row.status, err)
				}
			})
		}
	}
}

func wantDoubt(t *testing.T, err error) {
	t.Helper()
	if f := executor.FaultOf(err); f == policy.NoFault || f == policy.NotSent || errors.Is(err, executor.ErrNotSent) {
		t.Errorf("fault %q of %v, want a doubt", f, err)
	}
}

// A kept-alive connection that dies under a request with an Idempotency-Key: net/http sends it again by
// itself, beneath every RoundTripper that hands it through.
func TestOnceKeepsNetHTTPFromSendingAgain(t *testing.T) {
	url, count := posts(t, func(c net.Conn, n int32) {
		if n == 1 {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			return
		}
		c.Close()
	})
	once := &executor.Once{Transport: client(t).Transport}
	pay := func() error {
		_, _, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
			return once.Call(ctx, func(ctx context.Context, hc *http.Client) error { return stubborn(ctx, hc, url) })
		})
		return err
	}
	if err := pay(); err != nil {
		t.Fatal(err)
	}
	wantFault(t, pay(), policy.Reset)
	if n := count.Load(); n != 2 {
		t.Errorf("%d requests arrived for two attempts", n)
	}
}

// Only a dial that was refused proves that nothing left, and not for what comes after a request that did.
func TestOnceAndRefusedDials(t *testing.T) {
	const dead = "http://" + deadPort
	once := &executor.Once{Transport: client(t).Transport}
	_, _, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
		return once.Call(ctx, func(ctx context.Context, hc *http.Client) error { return stubborn(ctx, hc, dead) })
	})
	wantFault(t, err, policy.NotSent)

	url, count := posts(t, func(c net.Conn, _ int32) { c.Close() })
	beside := client(t) // the SDK's other host, which no guard sees
	_, read, _ := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
		_ = stubborn(ctx, &http.Client{Transport: once}, url)
		return executor.Reply{}, stubborn(ctx, beside, dead)
	})
	if read.Fault == policy.NotSent || count.Load() != 1 {
		t.Errorf("fault %q after %d requests left: the last error was that of another host", read.Fault, count.Load())
	}
}

// A helper that returns its error first and sends afterwards (hystrix-go, go-resiliency) sends nothing.
func TestOnceSendsNothingAfterTheAttempt(t *testing.T) {
	url, count := posts(t, func(c net.Conn, _ int32) { c.Close() })
	hc := client(t)
	once := &executor.Once{Transport: hc.Transport}
	late := make(chan error, 3)
	_, _, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
		returned := make(chan struct{})
		defer close(returned)
		go func() {
			<-returned
			late <- stubborn(ctx, &http.Client{Transport: once}, url)
		}()
		return once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
			go func() {
				<-returned
				late <- stubborn(context.Background(), hc, url)
				late <- stubborn(context.WithoutCancel(ctx), &http.Client{Transport: once}, url)
			}()
			return errors.New("the circuit is open")
		})
	})
	wantDoubt(t, err)
	for range 3 {
		wantDoubt(t, <-late)
	}
	if n := count.Load(); n != 0 {
		t.Errorf("%d requests left after the attempt", n)
	}
}

// An SDK that never returns, that panics, that ends its goroutine, or that makes no request.
func TestOnceBoundsTheSDK(t *testing.T) {
	for _, row := range []struct {
		name string
		sdk  func(context.Context, *http.Client) error
		want policy.Fault
	}{
		{"never returns", func(context.Context, *http.Client) error { select {} }, policy.Timeout},
		{"panics", func(context.Context, *http.Client) error { panic("no such field") }, policy.Reset},
		{"ends its goroutine", func(context.Context, *http.Client) error { runtime.Goexit(); return nil }, policy.Reset},
		{"sends nothing, and is content", func(context.Context, *http.Client) error { return nil }, policy.Reset},
		{"refuses the parameters", func(context.Context, *http.Client) error { return &net.OpError{Op: "dial", Err: io.EOF} }, policy.Reset},
		{"is known to have sent nothing", func(context.Context, *http.Client) error {
			return fmt.Errorf("%w: no such currency", executor.ErrNotSent)
		}, policy.NotSent},
	} {
		t.Run(row.name, func(t *testing.T) {
			patience := time.Minute
			if row.want == policy.Timeout {
				patience = 300 * time.Millisecond
			}
			_, read, err := attempted(t, patience, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
				return new(executor.Once).Call(ctx, row.sdk)
			})
			if read.Fault != row.want {
				t.Errorf("fault %q, want %q: %v", read.Fault, row.want, err)
			}
		})
	}
}

// Without an attempt nothing leaves: a retry that dropped the context would be one of its own.
func TestOnceWithoutAnAttempt(t *testing.T) {
	url, count := posts(t, func(c net.Conn, _ int32) { c.Close() })
	once := &executor.Once{Transport: client(t).Transport}
	wantDoubt(t, stubborn(t.Context(), &http.Client{Transport: once}, url))
	_, err := once.Call(t.Context(), func(ctx context.Context, hc *http.Client) error { return stubborn(ctx, hc, url) })
	wantFault(t, err, policy.NotSent)
	if n := count.Load(); n != 0 {
		t.Errorf("%d requests left", n)
	}
}

// A request for an access token is no payment, and comes as often as it must.
func TestOnceLetsRequestsBesideThrough(t *testing.T) {
	var tokens, payments atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			tokens.Add(1)
		} else {
			payments.Add(1)
		}
		fmt.Fprintf(w, "{%q:1}", r.URL.Path)
	}))
	defer s.Close()
	once := &executor.Once{Beside: func(r *http.Request) bool { return r.URL.Path == "/token" }}
	r, _, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
		return once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
			return errors.Join(stubborn(ctx, hc, s.URL+"/token"), stubborn(ctx, hc, s.URL+"/token"), stubborn(ctx, hc, s.URL+"/pay"))
		})
	})
	if err != nil || string(r.Body) != `{"/pay":1}` || tokens.Load() != 2 || payments.Load() != 1 {
		t.Errorf("reply %q, error %v, %d tokens, %d payments", r.Body, err, tokens.Load(), payments.Load())
	}
}

// Many tries at once, as a helper that hedges makes them.
func TestOnceOfManyAtOnce(t *testing.T) {
	url, count := posts(t, func(c net.Conn, _ int32) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	})
	once := &executor.Once{Transport: client(t).Transport}
	r, _, err := attempted(t, time.Minute, func(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
		return once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { _ = stubborn(ctx, hc, url) })
			}
			all.Wait()
			return errors.New("another answer came first")
		})
	})
	if err != nil || r.HTTPStatus != 200 || count.Load() != 1 {
		t.Errorf("status %d, error %v, %d requests", r.HTTPStatus, err, count.Load())
	}
}
