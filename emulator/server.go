package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 1 << 20

// ServerOptions are what a [Server] is made with. The zero value works.
type ServerOptions struct {
	Webhook  string        // URL for webhooks whose request named none; empty: they are not sent
	Secret   string        // of webhooks' signatures; empty: "secret"
	Attempts int           // deliveries of one webhook until it is given up; 0 or less: 8
	Backoff  time.Duration // before the second delivery, doubled each time up to a minute; 0 or less: 1s
	Client   *http.Client  // delivers webhooks; nil: one of its own, with a timeout of 15s

	Called    func(Called)    // after each call, from several goroutines at once; may be nil
	Delivered func(Delivered) // after each delivery of a webhook; likewise
}

// Called is one HTTP call, for a log.
type Called struct {
	Method, Path string
	Request      providers.Request
	Answer       policy.Answer // what the client received; its Fault stands for no answer
	Fault        string        // that the plan injected, by its name in a fault file; empty: none
	Err          error         // why the request could not be read
}

// Server is a provider over HTTP, in real time. It answers on the paths of its catalogue's
// endpoints, and shows its ledger and its orders under /_emulator/. Webhooks are sent while [Server.Serve]
// or [Server.Deliver] runs. Make it with [NewServer].
type Server struct {
	provider *Provider
	o        ServerOptions
	public   bool // it listens where other machines can reach it
	admin    http.Handler
	stopped  chan struct{}
	stop     sync.Once
	woken    chan struct{} // something new may be due
	places   chan struct{} // of webhooks that are delivered at once
}

// NewServer puts a provider behind HTTP. o may be nil.
func NewServer(p *Provider, o *ServerOptions) *Server {
	s := &Server{provider: p, stopped: make(chan struct{}), woken: make(chan struct{}, 1), places: make(chan struct{}, inFlight)}
	if o != nil {
		s.o = *o
	}
	s.o = s.o.withDefaults()
	s.admin = s.adminHandler()
	return s
}

func (o ServerOptions) withDefaults() ServerOptions {
	if o.Secret == "" {
		o.Secret = "secret"
	}
	if o.Attempts <= 0 {
		o.Attempts = 8
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // see target
		}
	}
	if o.Called == nil {
		o.Called = func(Called) {}
	}
	if o.Delivered == nil {
		o.Delivered = func(Delivered) {}
	}
	return o
}

// ErrPublic says that an address is not on loopback.
var ErrPublic = errors.New("the emulator listens on loopback only, unless public is set")

// Listen opens an address such as "127.0.0.1:8080"; port 0 takes a free one. An address
// that other machines can reach is refused with [ErrPublic] unless public is set.
func Listen(address string, public bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !public && !isLoopback(host) {
		return nil, fmt.Errorf("%s: %w", address, ErrPublic)
	}
	return net.Listen("tcp", address)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Serve answers on a listener and sends webhooks until ctx is cancelled; then it cuts off
// what is still waiting, and returns nil when nothing of it runs any more.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	host, _, err := net.SplitHostPort(l.Addr().String())
	s.public = err == nil && !isLoopback(host)
	ctx, cancel := context.WithCancel(ctx)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	var running sync.WaitGroup
	running.Go(func() { s.Deliver(ctx) })
	running.Go(func() {
		<-ctx.Done()
		s.Close()
		quick, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		if server.Shutdown(quick) != nil {
			_ = server.Close()
		}
	})
	err = server.Serve(l)
	cancel()
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close cuts off the calls that wait for an answer that does not come. It is for servers
// that are mounted as a handler; [Server.Serve] does it by itself.
func (s *Server) Close() { s.stop.Do(func() { close(s.stopped) }) }

// ServeHTTP answers one call. Where a fault breaks the connection it panics with
// [http.ErrAbortHandler], as the server of net/http wants it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isAdmin(r.URL.Path) {
		s.admin.ServeHTTP(w, r)
		return
	}
	at := time.Now().UTC()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "the body is longer than 1 MiB, or was cut off")
		return
	}
	endpoint, request, err := s.provider.catalog.ReadRequest(&providers.HTTPRequest{
		Method: r.Method, Path: r.URL.Path, Header: r.Header.Get, Query: r.URL.Query().Get, Body: body,
	})
	var unread *providers.RequestError
	called := Called{Method: r.Method, Path: r.URL.Path, Request: request, Err: err}
	switch {
	case errors.As(err, &unread) && unread.Status == http.StatusNotFound:
		problem(w, http.StatusNotFound, fmt.Sprintf("%s has no endpoint %s %s; docs/emulate.md and /_emulator/endpoints list them", s.provider.catalog.Name, r.Method, r.URL.Path))
	case unread != nil && unread.Status == http.StatusMethodNotAllowed:
		problem(w, http.StatusMethodNotAllowed, err.Error())
	case err != nil:
		called.Answer = s.refuse(w, at, endpoint, err, policy.InvalidRequest)
	default:
		if reason, why := invalid(endpoint, &request); why != nil {
			called.Err = why
			called.Answer = s.refuse(w, at, endpoint, why, reason, policy.InvalidRequest)
			break
		}
		result := s.provider.core.Call(at, request)
		called.Answer = result.Answer
		if result.Fault != emulation.NoFault {
			called.Fault = result.Fault.String()
		}
		s.wake()
		s.o.Called(called)
		if result.Answer.Fault == policy.NoFault {
			result.Body = endpoint.Wrapped(&result.Answer, result.Body)
		}
		s.play(w, r, result)
		return
	}
	s.o.Called(called)
}

// invalid says what a request lacks.
func invalid(e *providers.Endpoint, r *providers.Request) (reason policy.Class, err error) {
	unnamed := r.OrderID == "" && r.ProviderID == ""
	switch {
	case e.Phase == policy.Query && unnamed && r.RequestID == "":
		return policy.InvalidRequest, errors.New("the query names no payment")
	case e.Phase == policy.Query:
		return 0, nil
	case unnamed && e.Carries(policy.OrderID):
		return policy.InvalidRequest, errors.New("the request has no order id")
	case r.RequestID == "" && e.Carries(policy.RequestID):
		return policy.InvalidRequest, errors.New("the request has no request id")
	case r.Amount == policy.OddAmount:
		return policy.InvalidAmount, errors.New("the amount is not a positive number")
	}
	switch r.Operations[0] {
	case policy.Checkout, policy.Pay, policy.Refund, policy.Payout:
		if r.Amount == 0 {
			return policy.InvalidAmount, errors.New("the request has no amount")
		}
	default: // the others need none
	}
	return 0, nil
}

// refuse answers a request that the provider cannot process.
func (s *Server) refuse(w http.ResponseWriter, at time.Time, e *providers.Endpoint, why error, reasons ...policy.Class) policy.Answer {
	d, ok := s.provider.core.Refuse(at, e.Operations[0], e.Phase, reasons...)
	if !ok {
		problem(w, http.StatusBadRequest, why.Error())
		return d.Answer
	}
	write(w, &d)
	return d.Answer
}

// play answers a call: in time, late, never, or with a broken connection.
func (s *Server) play(w http.ResponseWriter, r *http.Request, d emulation.CallResult) {
	if d.Answer.Fault == policy.Timeout { // the client leaves, or the server stops
		select {
		case <-r.Context().Done():
		case <-s.stopped:
		}
		panic(http.ErrAbortHandler)
	}
	if wait := time.Until(d.ReceivedAt); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-s.stopped:
			panic(http.ErrAbortHandler)
		}
	}
	if d.Answer.Fault == policy.NotSent || d.Answer.Fault == policy.Reset {
		breakOff(w)
	}
	write(w, &d)
}

// breakOff resets the connection, so that the client sees no orderly end.
func breakOff(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

func write(w http.ResponseWriter, d *emulation.CallResult) {
	kind := "application/json"
	switch {
	case d.Answer.Fault == policy.Unreadable:
		kind = "text/html"
	case bytes.HasPrefix(d.Body, []byte("<")):
		kind = "text/xml"
	}
	w.Header().Set("Content-Type", kind)
	for name, text := range d.Header {
		w.Header().Set(name, text)
	}
	if d.Answer.RetryAfter > 0 {
		seconds := (d.Answer.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if d.Answer.HTTPStatus > 0 {
		w.WriteHeader(d.Answer.HTTPStatus)
	}
	_, _ = w.Write(d.Body) // the client may have left
}

// problem answers in the name of the emulator, not of the provider.
func problem(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text}) // the client may have left
}
