package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
)

const (
	maxBackoff   = time.Minute
	inFlight     = 64      // webhooks that are delivered at once
	maxReplySize = 1 << 16 // bytes of a reply that are read
)

// Delivered is one delivery of a webhook, for a log.
type Delivered struct {
	Operation    policy.Operation
	OrderID      string
	RequestID    string
	Answer       policy.Answer // as the webhook says it; Verified: its signature is good
	Fault        string        // that the plan injected, by its name in a fault file; empty: none
	URL          string
	Attempt      int // the first is 1
	HTTPStatus   int // 0: there was no response
	Acknowledged bool
	Err          error // why there was no response, or why it was not sent at all
}

// delivered describes a webhook that goes to a URL.
func delivered(h *emulation.Webhook, to string) Delivered {
	d := Delivered{Operation: h.Operation, OrderID: h.OrderID, RequestID: h.RequestID, Answer: h.Answer, URL: to}
	if h.Fault != emulation.NoFault {
		d.Fault = h.Fault.String()
	}
	return d
}

func (s *Server) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it was woken already
	}
}

// Deliver sends webhooks until ctx is cancelled, each until it is acknowledged or given
// up, and lets in requests that were on their way. It returns when nothing of it runs any
// more.
func (s *Server) Deliver(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		h, due := s.provider.core.NextWebhook(time.Now())
		if !due {
			if !s.idle(ctx) {
				return
			}
			continue
		}
		running.Go(func() { s.deliver(ctx, h) })
	}
}

// idle waits until something may be due; false when ctx is cancelled.
func (s *Server) idle(ctx context.Context) bool {
	var timer <-chan time.Time
	if next, ok := s.provider.core.Next(); ok {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.woken:
	case <-timer:
	}
	return true
}

func (s *Server) deliver(ctx context.Context, h emulation.Webhook) {
	to, err := s.target(&h)
	if err != nil || to == "" {
		if err != nil {
			d := delivered(&h, h.URL)
			d.Err = err
			s.o.Delivered(d)
		}
		return
	}
	for wait, attempt := s.o.Backoff, 1; attempt <= s.o.Attempts; attempt++ {
		d := s.post(ctx, &h, to)
		d.Attempt = attempt
		s.o.Delivered(d)
		if d.Acknowledged || attempt == s.o.Attempts {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		wait = min(2*wait, maxBackoff)
	}
}

// target is where a webhook goes. A URL that a request named must be on loopback, or on
// the host that the operator named: who can reach the emulator must not be able to make
// it call anywhere. Where other machines reach it, loopback is as closed to them as any other
// host, and of the operator's host only the port that he named is open.
func (s *Server) target(h *emulation.Webhook) (string, error) {
	if h.URL == "" {
		return s.o.Webhook, nil
	}
	to, err := url.Parse(h.URL)
	if err != nil {
		return "", err
	}
	if to.Scheme != "http" && to.Scheme != "https" {
		return "", fmt.Errorf("%s must be an http or https URL", h.URL)
	}
	own, err := url.Parse(s.o.Webhook)
	if s.public {
		if err == nil && own.Host != "" && own.Host == to.Host && own.Scheme == to.Scheme {
			return h.URL, nil
		}
		return "", fmt.Errorf("%s is not on the host and port of the webhook URL, and other machines can reach the emulator", h.URL)
	}
	if err == nil && own.Host != "" && own.Hostname() == to.Hostname() || isLoopback(to.Hostname()) {
		return h.URL, nil
	}
	return "", fmt.Errorf("%s is neither on loopback nor on the host of the webhook URL", h.URL)
}

// notice is the request that carries a webhook, not yet signed in its headers.
func (s *Server) notice(ctx context.Context, h *emulation.Webhook, to string, body []byte) (*http.Request, error) {
	method, kind := http.MethodPost, "application/json"
	switch s.provider.catalog.Written(h.Operation, policy.Webhook) {
	case "xml":
		kind = "text/xml"
	case "form":
		kind = "application/x-www-form-urlencoded"
	case "query":
		u, err := url.Parse(to)
		if err != nil {
			return nil, err
		}
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+string(body), "&")
		method, to, kind, body = http.MethodGet, u.String(), "", nil
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for name, text := range h.Header {
		req.Header.Set(name, text)
	}
	return req, nil
}

// post delivers a webhook once.
func (s *Server) post(ctx context.Context, h *emulation.Webhook, to string) Delivered {
	d := delivered(h, to)
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-ctx.Done():
		d.Err = ctx.Err()
		return d
	}
	shape, shaped := s.provider.catalog.Webhook()
	headers, body := map[string]string{}, h.Body
	if shaped {
		secret := s.o.Secret
		if !h.Answer.Verified {
			secret = "not " + secret
		}
		if u, err := url.Parse(to); err == nil {
			shape = shape.With(map[string]string{"path": u.Path})
		}
		private := strings.Contains(secret, "-----BEGIN")
		if private {
			secret = s.o.Secret // what is not verified is spoilt below
		}
		headers, body, d.Err = shape.Sign(secret, time.Now(), h.Body)
		switch {
		case d.Err != nil && s.o.Secret == "":
			headers, body, d.Err = map[string]string{}, h.Body, nil // without a key it goes out unsigned
		case d.Err != nil:
			return d
		case private && !h.Answer.Verified:
			for name, value := range headers {
				headers[name] = "0" + value[1:]
			}
		}
	}
	req, err := s.notice(ctx, h, to, body)
	if err != nil {
		d.Err = err
		return d
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := s.o.Client.Do(req)
	if err != nil {
		d.Err = err
		return d
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReplySize))
	d.HTTPStatus, d.Err = resp.StatusCode, err
	if shaped {
		d.Acknowledged = shape.Acknowledged(resp.StatusCode, reply)
	} else {
		d.Acknowledged = resp.StatusCode/100 == 2
	}
	return d
}
