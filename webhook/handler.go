package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/providers"
)

// Bounds of a Handler that says nothing else.
const (
	largestBody = 256 << 10 // bytes; the executor reads no more either
	mostNonces  = 100_000
)

// Handler is the http.Handler of one URL to which a provider sends webhooks. It is safe for concurrent
// use; its fields must not change once it serves. Notify, Shape and Secrets are needed.
//
// Only a webhook whose signature and age are right, and that is no copy, is evidence. Any other one is
// handed in as not verified: it proves nothing, and brings a query forward, a few times. So a wrong
// key costs time and no payment.
//
// It answers with the provider's acknowledgement when what the webhook changes is in the journal, and
// when it names no flow, since sending it again would change nothing. Other answers make a provider
// send again: 401 for what is not verified, 413 for a body that is too large, 500 where it cannot be
// stored, 503 where another copy of it is being handed in.
type Handler struct {
	// Notify is executor.Executor.Notify. Leave executor.Config.VerifyWebhook nil: it would have the
	// last word.
	Notify func(ctx context.Context, w executor.Webhook) error

	// About says what comes to the URL: its provider, and if there is one URL for each, the merchant
	// and the operations.
	About executor.Webhook

	// Shape is how the provider signs, with the merchant's settings: catalogue.Webhook(), then With.
	// Behind a proxy that changes paths, With says the path that the provider was given.
	Shape *providers.WebhookShape

	// Secrets are the keys of which any may have made the signature: several while one is replaced, or
	// where the provider signs in several ways.
	Secrets []string

	// Tolerance is how far the signed timestamp may be off. 0: as the catalogue says, which may be any.
	Tolerance time.Duration

	// Nonces remembers the nonces of webhooks, where the provider writes them: a copy has the same.
	// Several processes that serve one URL share a store. Nil: the last 100,000 of this process, in
	// memory.
	//
	// Take reports whether a nonce is new, and remembers it for a time; 0: for ever. Free forgets it, so
	// that the provider can send again what was not stored.
	Nonces interface {
		Take(ctx context.Context, nonce string, keep time.Duration) (isNew bool, err error)
		Free(ctx context.Context, nonce string) error
	}

	MaxBody  int64            // bytes; 0: 256 KiB, which is also the most
	OnError  func(err error)  // why a webhook was not taken, or names no flow; nil: dropped
	WallTime func() time.Time // nil: time.Now

	once   sync.Once
	own    *memory
	mu     sync.Mutex
	taking map[string]bool // nonces that are being handed in
}

// ServeHTTP receives one webhook.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.wrong(); err != nil {
		h.refuse(w, http.StatusInternalServerError, err)
		return
	}
	most := cmp.Or(min(h.MaxBody, largestBody), largestBody)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		h.refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("a webhook of %q has more than %d bytes", h.About.Provider, most))
		return
	}
	if err != nil {
		h.refuse(w, http.StatusBadRequest, fmt.Errorf("a webhook of %q could not be read: %w", h.About.Provider, err))
		return
	}
	in := &incoming{h: h, http: r, request: providers.HTTPRequest{
		Method: r.Method, Path: r.URL.Path, Header: joined(r.Header), Query: r.URL.Query().Get, RawQuery: r.URL.RawQuery, Body: body,
	}}
	status, err := in.take(r.Context())
	if err != nil {
		h.refuse(w, status, err)
		return
	}
	status, text := h.Shape.Acknowledgement(&in.request)
	switch {
	case strings.HasPrefix(text, "{"):
		w.Header().Set("Content-Type", "application/json")
	case strings.HasPrefix(text, "<"):
		w.Header().Set("Content-Type", "text/xml")
	}
	w.WriteHeader(status)
	if text == "" {
		return
	}
	if _, err := io.WriteString(w, text); err != nil {
		h.report(fmt.Errorf("the acknowledgement of a webhook of %q: %w", h.About.Provider, err))
	}
}

// joined reads headers as the decoding does: several lines of one name are one, with commas.
func joined(header http.Header) func(name string) string {
	return func(name string) string { return strings.Join(header.Values(name), ", ") }
}

// wrong says which field is missing. A handler that cannot verify must not look as if it did.
func (h *Handler) wrong() error {
	switch {
	case h.Notify == nil:
		return errors.New("Handler.Notify is nil")
	case h.Shape == nil:
		return fmt.Errorf("Handler.Shape is nil: the catalogue of %q does not say how webhooks are signed", h.About.Provider)
	case len(h.Secrets) == 0:
		return errors.New("Handler.Secrets is empty: nothing can be verified")
	}
	return nil
}

func (h *Handler) now() time.Time {
	if h.WallTime != nil {
		return h.WallTime()
	}
	return time.Now()
}

func (h *Handler) report(err error) {
	if h.OnError != nil {
		h.OnError(fmt.Errorf("webhook: %w", err))
	}
}

// refuse answers without the reason: who forges learns nothing.
func (h *Handler) refuse(w http.ResponseWriter, status int, err error) {
	h.report(err)
	http.Error(w, http.StatusText(status), status)
}

// incoming is one webhook.
type incoming struct {
	h       *Handler
	http    *http.Request
	request providers.HTTPRequest
}

// take hands the webhook in. Where that fails, the status is the answer.
func (in *incoming) take(ctx context.Context) (status int, err error) {
	h := in.h
	if err := h.Shape.Check(&in.request, h.now(), h.Tolerance, h.Secrets...); err != nil {
		return in.doubtful(ctx, http.StatusUnauthorized, fmt.Errorf("a webhook of %q is not verified: %w", h.About.Provider, err))
	}
	nonce, keep := h.Shape.Nonce(&in.request, h.Tolerance)
	if nonce == "" {
		return in.genuine(ctx)
	}
	nonce = strings.Join([]string{h.About.Provider, h.About.Merchant, nonce}, "\x00")
	if !h.begin(nonce) {
		return http.StatusServiceUnavailable, fmt.Errorf("a webhook of %q came again while it was being handed in", h.About.Provider)
	}
	defer h.end(nonce)
	isNew, err := h.nonces().Take(ctx, nonce, keep)
	switch {
	case err != nil:
		return in.doubtful(ctx, http.StatusInternalServerError, fmt.Errorf("whether a webhook of %q is a copy cannot be said: %w", h.About.Provider, err))
	case !isNew: // it was acknowledged before, and is again
		status, err := in.doubtful(ctx, http.StatusOK, nil)
		h.report(fmt.Errorf("a webhook of %q is a copy of an earlier one", h.About.Provider))
		return status, err
	}
	stored := false
	defer func() {
		if !stored { // also where Notify panics
			if err := h.nonces().Free(context.WithoutCancel(ctx), nonce); err != nil {
				h.report(fmt.Errorf("the nonce of a webhook of %q is not freed, so the next copy proves nothing: %w", h.About.Provider, err))
			}
		}
	}()
	status, err = in.genuine(ctx)
	stored = err == nil
	return status, err
}

// genuine hands in a verified webhook.
func (in *incoming) genuine(ctx context.Context) (status int, err error) {
	err = in.notify(ctx, true)
	switch {
	case errors.Is(err, executor.ErrUnknownFlow):
		in.h.report(fmt.Errorf("a verified webhook of %q names no flow; it is acknowledged: %w", in.h.About.Provider, err))
	case err != nil:
		return http.StatusInternalServerError, fmt.Errorf("a webhook of %q is not stored: %w", in.h.About.Provider, err)
	}
	return 0, nil
}

// doubtful hands in a webhook that proves nothing. A failure of that changes nothing.
func (in *incoming) doubtful(ctx context.Context, status int, why error) (int, error) {
	if err := in.notify(ctx, false); err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
		in.h.report(err)
	}
	return status, why
}

func (in *incoming) notify(ctx context.Context, verified bool) error {
	w := in.h.About
	w.Header, w.Query, w.Body, w.Answer, w.Verified = in.http.Header, in.request.RawQuery, in.request.Body, nil, verified
	return in.h.Notify(ctx, w)
}

// begin and end mark a webhook that is being handed in: until that is done it is not known whether a
// copy may be acknowledged.
func (h *Handler) begin(nonce string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taking[nonce] {
		return false
	}
	if h.taking == nil {
		h.taking = map[string]bool{}
	}
	h.taking[nonce] = true
	return true
}

func (h *Handler) end(nonce string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.taking, nonce)
}
