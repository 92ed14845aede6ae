package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"

	"github.com/recourse-pay/recourse/policy"
)

// Once guards an HTTP client that is not the caller's own: that of a payment SDK, or of a helper that
// sends again by itself. Whatever they try, at most one request leaves in an attempt, which is one call
// of [Client].Send or Query. Give it to them as the transport of their [http.Client], and make the
// attempt with [Once.Call]. Its zero value works.
//
// A second request is refused before it leaves, and the error is in doubt as the first one is: never
// not_sent. So is a request whose context does not come from an attempt, and one after the attempt's
// deadline, by the clock. net/http does not send again beneath it (see [Call]). A redirect is not
// followed, and is in doubt.
type Once struct {
	// Transport makes the requests; nil: http.DefaultTransport. Behind one that is not *http.Transport
	// something unseen may have sent: it must not retry by itself.
	Transport http.RoundTripper

	// Beside reports whether a request is not the attempt's own, such as one for an access token. Those
	// are let through, as often as they come. Nil: every request is the attempt's own. It must not be
	// true of a request that moves money.
	Beside func(*http.Request) bool
}

// callKey finds the call of a context.
type callKey struct{}

// Value implements [context.Context].
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// soleRequest is the record of the call's one request.
func (c *callContext) soleRequest() *soleRequest {
	if s := c.sole.Load(); s != nil {
		return s
	}
	c.sole.CompareAndSwap(nil, &soleRequest{over: make(chan struct{})})
	return c.sole.Load()
}

// soleRequest is the one request of an attempt, and what became of it.
type soleRequest struct {
	mu     sync.Mutex
	taken  bool
	sealed bool          // none may follow: the attempt has its outcome
	over   chan struct{} // closed with the outcome
	reply  Reply
	err    error
}

// take reserves the attempt's one request, or returns why it must not leave.
func (s *soleRequest) take(c *callContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.taken:
		return s.second()
	case s.sealed:
		return errors.New("executor: a request was not sent: its attempt is over")
	}
	if err := c.Err(); err != nil { // reads the clock
		return fmt.Errorf("executor: a request was not sent: its attempt is over: %w", err)
	}
	s.taken = true
	return nil
}

// second is the error of a second request. The lock is held.
func (s *soleRequest) second() error {
	e := &secondError{text: "the first one is under way"}
	select {
	case <-s.over:
		e.text = fmt.Sprintf("the first one was answered with HTTP status %d", s.reply.HTTPStatus)
		if s.err != nil {
			e.text, e.timeout = "the first one: "+s.err.Error(), FaultOf(s.err) == policy.Timeout
		}
	default:
	}
	return e
}

// finish keeps the outcome of the request.
func (s *soleRequest) finish(r Reply, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply, s.err = r, err
	close(s.over)
}

// seal lets no request follow, and reports whether one was made.
func (s *soleRequest) seal() (taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	return s.taken
}

// inDoubtOnce takes the proof that nothing was sent from an error, if a request left through [Once]: an
// SDK may return the error of a later try, or of another host. No request leaves from then on.
func (c *callContext) inDoubtOnce(err error) error {
	s := c.sole.Load()
	if s == nil || !s.seal() || err == nil || FaultOf(err) != policy.NotSent {
		return err
	}
	select {
	case <-s.over:
		if FaultOf(s.err) == policy.NotSent {
			return err
		}
	default:
	}
	return maybeSentError{err}
}

// secondError refuses a second request. It does not wrap the error of the first, which may be a proof
// that nothing left: what wraps this one may be about both.
type secondError struct {
	text    string
	timeout bool // as the first one
}

func (e *secondError) Error() string {
	return "executor: a second request of one attempt was not sent; " + e.text
}

// Timeout implements [net.Error].
func (e *secondError) Timeout() bool { return e.timeout }

// Temporary implements [net.Error]: it is of no use to try again.
func (e *secondError) Temporary() bool { return false }

var errNoAttempt = errors.New("executor: a request was not sent: its context does not come from Client.Send or Query; pass that one on, or use the HTTP client that Once.Call hands over")

// RoundTrip implements [http.RoundTripper].
func (o *Once) RoundTrip(req *http.Request) (*http.Response, error) {
	c, _ := req.Context().Value(callKey{}).(*callContext)
	return o.roundTrip(c, req)
}

func (o *Once) roundTrip(c *callContext, req *http.Request) (*http.Response, error) {
	if o.Beside != nil && o.Beside(req) {
		return o.transport().RoundTrip(req)
	}
	if c == nil {
		closeBody(req)
		return nil, errNoAttempt
	}
	s := c.soleRequest()
	if err := s.take(c); err != nil {
		closeBody(req)
		return nil, err
	}
	resp, reply, err := o.send(c, req)
	s.finish(reply, err)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func (o *Once) transport() http.RoundTripper {
	if o.Transport == nil {
		return http.DefaultTransport
	}
	return o.Transport
}

// closeBody is what a RoundTripper owes a request that it does not send.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// send makes the request, and reads the answer to its end: an SDK may take half of one for a success.
func (o *Once) send(c *callContext, req *http.Request) (*http.Response, Reply, error) {
	if err := unsendable(req); err != nil {
		closeBody(req)
		return nil, Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	stop := context.AfterFunc(c, func() { cancel(c.Err()) }) // an SDK may have dropped the deadline
	defer stop()
	once, seen := watched(req.WithContext(ctx))
	resp, err := o.transport().RoundTrip(once)
	if err == nil && resp == nil {
		err = errors.New("neither a response nor an error")
	}
	if err != nil {
		if over := c.Err(); over != nil {
			err = errors.Join(over, err) // a transport may say "canceled" in words of its own
		}
		return nil, Reply{}, seen.judge(err, o.Transport)
	}
	moved := resp.StatusCode/100 == 3 && resp.Header.Get("Location") != ""
	reply, err := readReply(resp, nil)
	if err == nil && moved {
		err = maybeSentError{fmt.Errorf("the provider answered with a redirect (HTTP status %d), which is not followed", reply.HTTPStatus)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(reply.Body))
	return resp, reply, err
}

// connection is what net/http did to get one.
type connection struct{ asked, got atomic.Bool }

// watched is a copy of a request that net/http cannot send again by itself, and sees what becomes of it.
func watched(req *http.Request) (*http.Request, *connection) {
	seen := new(connection)
	once := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { seen.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { seen.got.Store(true) },
	}))
	once.GetBody = nil
	hideIdempotencyKey(once)
	return once, seen
}

// judge says of an error whether the request can have left.
func (s *connection) judge(err error, t http.RoundTripper) error {
	switch {
	case s.got.Load():
		return maybeSentError{err}
	case s.asked.Load() && isStandardTransport(t):
		return fmt.Errorf("%w: no connection: %w", ErrNotSent, err)
	}
	return err
}

// Call makes an attempt with an SDK and returns what its one request got, from the wire: not what the
// SDK makes of it, which may have retried and then return the guard's error, or take half an answer for
// a success. ctx is that of Send or Query. The SDK gets it, and an HTTP client for this attempt alone:
// one without contexts works too. It may keep neither.
//
// Call returns when ctx is over, whether the SDK does or not: the outcome is then unknown. An error of
// the SDK counts only where no request was made, and proves not_sent only if it wraps [ErrNotSent].
func (o *Once) Call(ctx context.Context, sdk func(ctx context.Context, hc *http.Client) error) (Reply, error) {
	c, _ := ctx.Value(callKey{}).(*callContext)
	if c == nil {
		return Reply{}, fmt.Errorf("%w: the context of Once.Call must be that of Client.Send or Query", ErrNotSent)
	}
	s := c.soleRequest()
	hc := &http.Client{Transport: bound{o, c}}
	ended := make(chan sdkEnd, 1)
	go func() {
		end := sdkEnd{err: errors.New("the SDK ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				end.panicked = p
			}
			ended <- end
		}()
		end.err = sdk(ctx, hc)
	}()
	var end sdkEnd
	select {
	case end = <-ended:
	case <-ctx.Done():
		end.err = ctx.Err()
	}
	if end.panicked != nil {
		s.seal()
		panic(end.panicked) // the executor reports it
	}
	if !s.seal() {
		return Reply{}, noRequest(end.err)
	}
	select { // the SDK may not have waited for its own request
	case <-s.over:
		return s.reply, s.err
	default:
	}
	select {
	case <-s.over:
		return s.reply, s.err
	case <-ctx.Done():
		return Reply{}, maybeSentError{fmt.Errorf("the request was not answered in time: %w", ctx.Err())}
	}
}

// sdkEnd is how an SDK returned.
type sdkEnd struct {
	err      error
	panicked any
}

// noRequest is the outcome of an SDK that made no request which the guard saw. It may have made one
// that the guard did not see.
func noRequest(err error) error {
	switch {
	case err == nil:
		err = errors.New("the SDK made no request with the HTTP client that Once.Call handed over")
	case errors.Is(err, ErrNotSent):
		return err
	}
	return maybeSentError{fmt.Errorf("no request went through Once: %w", err)}
}

// bound is a guard for one attempt, whatever the context of a request is.
type bound struct {
	o *Once
	c *callContext
}

// RoundTrip implements [http.RoundTripper].
func (b bound) RoundTrip(req *http.Request) (*http.Response, error) { return b.o.roundTrip(b.c, req) }
