package executor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Call makes the request once and reads the answer, up to 1 MiB of it. It knows more than the
// error: where net/http asked for a connection and never got one, nothing left, whatever the
// reason (a deadline while dialling, waiting for a free connection or in the TLS handshake),
// and the error wraps [ErrNotSent]. After a connection was there no error is not_sent.
//
// It also keeps net/http from making more of one request. On a reused connection that turns
// out dead, http.Transport sends a request again when it can rewind the body, even after the
// first copy was written where there is an Idempotency-Key header: Call works on a copy that
// cannot be rewound. A redirect of a payment would send it again (307, 308) or fetch a page in
// place of an answer (301 to 303): the redirect itself is the answer. Neither hc nor req is
// modified; a nil hc is http.DefaultClient.
//
// What remains uncertain: a connection that was found dead before anything was written is in
// doubt as well (keep IdleConnTimeout below the provider's). Behind a RoundTripper that is
// not *http.Transport something unseen may have sent the request: an error is then only what
// [FaultOf] makes of it, so it must not retry by itself. net/http still resends a GET, and over
// HTTP/2 a request without a body that the server says it did not process: give a payment a
// body.
func Call(hc *http.Client, req *http.Request) (Reply, error) {
	if err := unsendable(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if hc == nil {
		hc = http.DefaultClient
	}
	client := *hc
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	once, seen := watched(req)
	resp, err := client.Do(once)
	if err != nil && resp == nil {
		err = seen.judge(err, hc.Transport)
	}
	return readReply(resp, err)
}

// isStandardTransport reports whether the hooks of httptrace see every connection that is used.
func isStandardTransport(t http.RoundTripper) bool {
	if t == nil {
		t = http.DefaultTransport
	}
	_, ok := t.(*http.Transport)
	return ok
}

// unsendable returns the error of a request that net/http would refuse before sending anything.
// net/http's own error does not show that nothing was sent.
func unsendable(req *http.Request) error {
	if err := req.Context().Err(); err != nil {
		return err
	}
	if req.URL == nil || req.URL.Host == "" {
		return errors.New("the request has no host")
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return fmt.Errorf("unsupported scheme %q", req.URL.Scheme)
	}
	for name, values := range req.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return fmt.Errorf("the header %s holds a control character, perhaps a line break", name)
			}
		}
	}
	return nil
}

// hideIdempotencyKey keeps net/http from seeing the header that makes it resend a request
// without a body: the names of headers know no case on the wire, but it looks for this one.
func hideIdempotencyKey(req *http.Request) {
	if req.Body != nil && req.Body != http.NoBody {
		return
	}
	req.Header = req.Header.Clone()
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := req.Header[name]; ok {
			delete(req.Header, name)
			req.Header[strings.ToLower(name)] = values
		}
	}
}
