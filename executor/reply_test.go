package executor_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

type temporary struct{ error }

func (temporary) Timeout() bool   { return true }
func (temporary) Temporary() bool { return true }

type claims struct{ error }

func (claims) Is(target error) bool { return target == executor.ErrNotSent }

func TestFaultOf(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	read := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	wrapped := func(err error) error { return &url.Error{Op: "Post", URL: "https://pay.example", Err: err} }
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	for _, row := range []struct {
		name string
		err  error
		want policy.Fault
	}{
		{"nothing", nil, policy.NoFault},
		{"refused", wrapped(dial), policy.NotSent},
		{"deadline while dialling", wrapped(&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}), policy.NotSent},
		{"refused by a proxy's port", &net.OpError{Op: "proxyconnect", Err: dial}, policy.NotSent},
		{"no such name", wrapped(&net.DNSError{Err: "no such host", Name: "pay.example"}), policy.NotSent},
		{"untrusted certificate", wrapped(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), policy.NotSent},
		{"first record is not TLS", tls.RecordHeaderError{Msg: "first record", Conn: near}, policy.NotSent},
		{"claimed", executor.ErrNotSent, policy.NotSent},
		{"claimed with a cause", fmt.Errorf("%w: %w", executor.ErrNotSent, context.DeadlineExceeded), policy.NotSent},
		{"claimed with a cause, wrapped", wrapped(fmt.Errorf("pay: %w", errors.Join(executor.ErrNotSent, io.EOF))), policy.NotSent},
		{"claimed by a type", claims{io.EOF}, policy.NotSent},
		{"all that was tried did not leave", errors.Join(dial, fmt.Errorf("again: %w", executor.ErrNotSent)), policy.NotSent},

		{"one of two left", errors.Join(dial, read), policy.Reset},
		{"one of two left, one claimed", errors.Join(fmt.Errorf("first: %w", executor.ErrNotSent), read), policy.Reset},
		{"refused, and something else", fmt.Errorf("%w, then %w", dial, errors.New("who knows")), policy.Reset},
		{"a later record is not TLS", tls.RecordHeaderError{Msg: "bad"}, policy.Reset},
		{"HTTP in place of TLS, perhaps later", http.ErrSchemeMismatch, policy.Reset},
		{"a certificate, perhaps of an answer", x509.UnknownAuthorityError{}, policy.Reset},
		{"a URL, perhaps of an answer", &url.Error{Op: "parse", URL: ":", Err: errors.New("missing scheme")}, policy.Reset},
		{"alert of the other side", &net.OpError{Op: "remote error", Err: tls.AlertError(40)}, policy.Reset},
		{"reset", wrapped(read), policy.Reset},
		{"closed", wrapped(io.EOF), policy.Reset},
		{"half", io.ErrUnexpectedEOF, policy.Reset},
		{"write", &net.OpError{Op: "write", Err: syscall.EPIPE}, policy.Reset},
		{"unknown", errors.New("who knows"), policy.Reset},

		{"deadline", wrapped(context.DeadlineExceeded), policy.Timeout},
		{"stopped listening", wrapped(context.Canceled), policy.Timeout},
		{"read deadline", wrapped(&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}), policy.Timeout},
		{"timeout of another kind", temporary{errors.New("slow")}, policy.Timeout},
		{"refused, then deadline", errors.Join(dial, context.DeadlineExceeded), policy.Timeout},
	} {
		if got := executor.FaultOf(row.err); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// response is what net/http gives.
func response(status int, header http.Header, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}
}

func TestRetryAfter(t *testing.T) {
	const date = "Fri, 02 Jan 2026 03:04:05 GMT"
	year := 365 * 24 * time.Hour
	for said, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 7 ": 7 * time.Second, "-5": 0, "1.5": 0, "soon": 0,
		"99999999999999999999": year, "9999999999": year,
		"Fri, 02 Jan 2026 03:05:05 GMT":  time.Minute, // against the server's own clock
		"Fri, 02 Jan 2026 03:00:00 GMT":  0,           // over already
		"Fri, 02 Jan 2099 03:00:00 GMT":  year,
		"Friday, 02-Jan-26 03:04:35 GMT": 30 * time.Second,
	} {
		header := http.Header{"Retry-After": {said}, "Date": {date}}
		r, err := executor.ReadReply(response(503, header, strings.NewReader("{}")), nil)
		if err != nil || r.RetryAfter != want || r.HTTPStatus != 503 || string(r.Body) != "{}" {
			t.Errorf("%q: %v (status %d, body %q, error %v), want %v", said, r.RetryAfter, r.HTTPStatus, r.Body, err, want)
		}
	}
	far := http.Header{"Retry-After": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}
	if r, _ := executor.ReadReply(response(503, far, strings.NewReader("")), nil); r.RetryAfter < 59*time.Minute || r.RetryAfter > time.Hour {
		t.Errorf("without a Date: %v, want an hour", r.RetryAfter)
	}
}

// broken is a body that fails in the middle with an error of every kind.
type broken struct {
	err    error
	closed bool
}

func (b *broken) Read(p []byte) (int, error) { return copy(p, `{"resultCode":`), b.err }
func (b *broken) Close() error               { b.closed = true; return nil }

func TestBrokenBodyIsInDoubt(t *testing.T) {
	for want, errs := range map[policy.Fault][]error{
		policy.Reset:   {io.ErrUnexpectedEOF, executor.ErrNotSent, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		policy.Timeout: {context.DeadlineExceeded, context.Canceled},
	} {
		for _, cause := range errs {
			body := &broken{err: cause}
			r, err := executor.ReadReply(&http.Response{StatusCode: 200, Body: body}, nil)
			if got := executor.FaultOf(err); got != want || r.HTTPStatus != 200 || r.Body != nil || !body.closed {
				t.Errorf("%v: fault %q, want %q; reply %+v, closed %v", cause, got, want, r, body.closed)
			}
			if !errors.Is(err, cause) {
				t.Errorf("%v hides %v", err, cause)
			}
		}
	}
}

// net/http gives a response and an error for a redirect that it refuses to follow.
func TestResponseBesideAnError(t *testing.T) {
	body := &broken{}
	r, err := executor.ReadReply(&http.Response{StatusCode: 302, Body: body}, fmt.Errorf("redirect: %w", executor.ErrNotSent))
	if executor.FaultOf(err) != policy.Reset || r.HTTPStatus != 302 || !body.closed {
		t.Errorf("reply %+v, error %v, closed %v", r, err, body.closed)
	}
	if _, err := executor.ReadReply(nil, nil); executor.FaultOf(err) != policy.Reset {
		t.Errorf("neither response nor error: %v", err)
	}
	if _, err := executor.ReadReply(nil, io.EOF); err != io.EOF {
		t.Errorf("an error alone stays itself, got %v", err)
	}
}

// A client that hands the headers on need not read Retry-After itself.
func TestRetryAfterOfAClientsHeaders(t *testing.T) {
	for _, c := range []struct {
		reply executor.Reply
		want  time.Duration
	}{
		{executor.Reply{Header: map[string]string{"Retry-After": "120"}}, 2 * time.Minute},
		{executor.Reply{Header: map[string]string{"retry-after": "120", "content-type": "text/plain"}}, 2 * time.Minute},
		{executor.Reply{Header: map[string]string{"retry-after": "90", "RETRY-AFTER": "120", "Retry-After": "7"}}, 2 * time.Minute},
		{executor.Reply{Header: map[string]string{"RETRY-AFTER": "Fri, 02 Jan 2026 03:05:05 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}}, time.Minute},
		{executor.Reply{Header: map[string]string{"Retry-After": "120"}, RetryAfter: 5 * time.Second}, 5 * time.Second},
		{executor.Reply{Header: map[string]string{"Retry-After": "120"}, Answer: &policy.Answer{Code: "10"}}, 2 * time.Minute},
		{executor.Reply{Header: map[string]string{"Retry-After": "120, 7"}}, 0},
		{executor.Reply{Header: map[string]string{"Date": "Fri, 02 Jan 2026 03:04:05 GMT"}}, 0},
	} {
		bubble(t, func(t *testing.T) {
			said := make(chan time.Duration, 100)
			x := open(t, defaults(), executor.Config{Observers: []executor.Observer{&calledWith{call: func(e *executor.CallEvent) { said <- e.Answer.RetryAfter }}}})
			reply := c.reply
			reply.HTTPStatus = 503
			begin(t, x, payment("k"), onceSaid(reply))
			if got := <-said; got != c.want {
				t.Errorf("%v: the wait asked for is %s, want %s", c.reply.Header, got, c.want)
			}
		})
	}
}

// onceSaid is a client whose provider always says the same.
type onceSaid executor.Reply

func (c onceSaid) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply(c), nil
}
func (c onceSaid) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply(c), nil
}

// calledWith calls a function after each call.
type calledWith struct {
	executor.NoopObserver
	call func(*executor.CallEvent)
}

func (o *calledWith) Called(_ context.Context, e *executor.CallEvent) { o.call(e) }
