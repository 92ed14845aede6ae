package executor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// ErrNotSent says that nothing left this machine. A [Client] that knows this wraps it, as in
//
//	fmt.Errorf("%w: %w", executor.ErrNotSent, err)
//
// It is a claim about the whole call: the flow may end failed because of it.
var ErrNotSent = errors.New("nothing was sent")

const maxBody = 1 << 20

// errTooLarge is an answer that was not read to its end, and so proves nothing.
var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxBody)

// FaultOf returns what the error of a payment's own call proves. nil is no fault.
//
// Certain is not_sent for [ErrNotSent], for a connection that could not be dialled, a name
// that did not resolve, and a certificate or a first record that the client itself refused in
// the TLS handshake. Every other error leaves the request in doubt: timeout if
// the wait for the answer ended, unreadable for an answer too large, else reset. That holds for errors
// that look harmless as well, because what comes after a request can raise them too: a TLS
// alert of the other side, an HTTP/2 stream that was refused, a URL or a bare x509
// certificate that does not parse or verify (those of an answer do not either).
//
// Of joined errors each has to prove that nothing left, save where ErrNotSent itself is one
// of them. An error shows neither redirects nor requests that net/http sent again by itself;
// see [Call].
func FaultOf(err error) policy.Fault {
	switch {
	case err == nil:
		return policy.NoFault
	case provesNotSent(err):
		return policy.NotSent
	case errors.Is(err, errTooLarge):
		return policy.Unreadable
	case isTimeout(err):
		return policy.Timeout
	default:
		return policy.Reset
	}
}

// maybeSentError is an error that came after the connection. Whatever it wraps, the request may
// have been sent.
type maybeSentError struct{ error }

func (e maybeSentError) Unwrap() error { return e.error }

//nolint:errorlint // an error is taken apart layer by layer: what wraps a proof may not be one
func provesNotSent(err error) bool {
	if err == ErrNotSent { // the sentinel itself; what wraps it is taken apart below
		return true
	}
	switch e := err.(type) {
	case maybeSentError:
		return false
	case *net.OpError:
		if e.Op == "dial" {
			return true
		}
	case *net.DNSError, *tls.CertificateVerificationError:
		return true
	case tls.RecordHeaderError:
		// Only the first record of a connection comes with it; a later one may be garbage
		// in place of an answer.
		return e.Conn != nil
	}
	if e, ok := err.(interface{ Is(error) bool }); ok && e.Is(ErrNotSent) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && provesNotSent(inner)
	case interface{ Unwrap() []error }:
		return allNotSent(e.Unwrap())
	}
	return false
}

//nolint:errorlint // see provesNotSent
func allNotSent(errs []error) bool {
	all := len(errs) > 0
	for _, err := range errs {
		if err == ErrNotSent {
			return true
		}
		all = all && err != nil && provesNotSent(err)
	}
	return all
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// readReply reads and closes the answer of net/http. The body may have 1 MiB. An error while it is read
// is in doubt, and the Reply then holds the HTTP status.
func readReply(resp *http.Response, err error) (Reply, error) {
	if resp == nil {
		if err == nil {
			err = maybeSentError{errors.New("neither a response nor an error")}
		}
		return Reply{}, err
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	defer resp.Body.Close()
	r := Reply{HTTPStatus: resp.StatusCode, RetryAfter: retryAfter(resp.Header), Header: joined(resp.Header)}
	if err != nil { // net/http gives both for a redirect that it refused to follow
		return r, maybeSentError{err}
	}
	r.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(r.Body) > maxBody {
		err = errTooLarge
	}
	if err != nil {
		r.Body = nil
		return r, maybeSentError{fmt.Errorf("reading the answer: %w", err)}
	}
	return r, nil
}

const maxRetryAfter = 365 * 24 * time.Hour // longer ones would overflow a duration

// retryAfter reads both forms of the header: seconds, or a date, which is compared with the
// server's own clock if the answer has a Date.
func retryAfter(h http.Header) time.Duration {
	said := strings.TrimSpace(h.Get("Retry-After"))
	if said == "" {
		return 0
	}
	if strings.Trim(said, "0123456789") == "" {
		seconds, err := strconv.ParseInt(said, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// saidInHeader is retryAfter for a client that has handed the headers on. Their names know no case; of two that differ in it alone the longer
// text counts, whichever comes first.
func saidInHeader(header map[string]string) time.Duration {
	var h http.Header
	for name, text := range header {
		if !strings.EqualFold(name, "Retry-After") && !strings.EqualFold(name, "Date") {
			continue
		}
		if h == nil {
			h = http.Header{}
		}
		if had := h.Get(name); len(text) > len(had) || len(text) == len(had) && text > had {
			h.Set(name, text)
		}
	}
	if h == nil {
		return 0
	}
	return retryAfter(h)
}
