package executor_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

func TestCallOverHTTP2(t *testing.T) {
	var requests atomic.Int32
	arrived := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch r.URL.Path {
		case "/break":
			panic(http.ErrAbortHandler) // resets the stream
		case "/silence":
			close(arrived)
			<-r.Context().Done()
		case "/half":
			_, _ = io.WriteString(w, `{"a":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			fmt.Fprint(w, r.Proto)
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	hc := s.Client()
	if r, err := executor.Call(hc, post(t, t.Context(), s.URL)); err != nil || string(r.Body) != "HTTP/2.0" {
		t.Fatalf("%q, %v", r.Body, err)
	}
	_, err := executor.Call(hc, post(t, t.Context(), s.URL+"/break"))
	wantFault(t, err, policy.Reset)
	r, err := executor.Call(hc, post(t, t.Context(), s.URL+"/half"))
	wantFault(t, err, policy.Reset)
	if r.HTTPStatus != 200 {
		t.Errorf("status %d of half an answer", r.HTTPStatus)
	}
	_, err = executor.Call(hc, post(t, tillArrival{t.Context(), arrived}, s.URL+"/silence"))
	wantFault(t, err, policy.Timeout)
	if n := requests.Load(); n != 4 {
		t.Errorf("%d requests arrived for four calls", n)
	}
}

// What is not net/http's may have sent the request unseen: only the error speaks.
type unseen struct{ err error }

func (u unseen) RoundTrip(*http.Request) (*http.Response, error) { return nil, u.err }

// fallback sends by a way of its own, then fails to dial by net/http's.
type fallback struct{}

func (fallback) RoundTrip(req *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(req.Context()).GetConn("pay.example:443")
	return nil, context.DeadlineExceeded
}

func TestCallTrustsNoOtherTransport(t *testing.T) {
	_, seen := executor.Call(&http.Client{Transport: fallback{}}, post(t, t.Context(), "https://pay.example"))
	wantFault(t, seen, policy.Timeout)
	_, err := executor.Call(&http.Client{Transport: unseen{context.DeadlineExceeded}}, post(t, t.Context(), "https://pay.example"))
	wantFault(t, err, policy.Timeout)
	_, err = executor.Call(&http.Client{Transport: unseen{&tls.CertificateVerificationError{Err: io.EOF}}}, post(t, t.Context(), "https://pay.example"))
	if executor.FaultOf(err) != policy.NotSent {
		t.Errorf("what the error proves counts: %v", err)
	}
}
