#!/usr/bin/env bash
# A payment that failed with 503 and is tried again is a new payment, as its key cannot be given.
# Ran on 2026-12-01: mercadopago/sdk-go v1.8.0, Go 1.26.
# Guess: the idempotency key of a payment is the caller's to give, as in the same provider's client for Node, or is made from the payment.
# Seen:  each call of Create has a key of its own that is drawn within it and is shown nowhere. The four tries of one call share it; the call that the caller makes after an error, or after a restart, has another one. No option takes a key.
# Why:   the header is set from a random UUID when the request is built.
# So:    after its four tries a payment is in doubt, and the provider cannot be asked by the same key again: a second Create charges a second time if the first was made. Give the client a Requester of one's own that sets X-Idempotency-Key from the order.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/mercadopago/sdk-go@v1.8.0 2>&1 | grep -E 'added (github.com/mercadopago/sdk-go) ' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/mercadopago/sdk-go/pkg/config"
	"github.com/mercadopago/sdk-go/pkg/payment"
)

type local struct{ host string }

func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL = &url.URL{Scheme: "http", Host: l.host, Path: r.URL.Path}
	return (&http.Transport{}).RoundTrip(r)
}

func main() {
	var keys []string
	down := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		keys = append(keys, r.Header.Get("X-Idempotency-Key"))
		if down {
			w.WriteHeader(503)
			return
		}
		w.WriteHeader(201)
		fmt.Fprint(w, `{"id":1,"status":"approved"}`)
	}))
	http.DefaultTransport = local{server.Listener.Addr().String()}
	settings, err := config.New("token")
	if err != nil {
		panic(err)
	}
	client := payment.NewClient(settings)
	order := payment.Request{TransactionAmount: 19.99, ExternalReference: "A-7"}
	_, err = client.Create(context.Background(), order)
	first := keys
	same := true
	for _, key := range first {
		same = same && key == first[0]
	}
	fmt.Printf("the first call: sent %d times, one key: %v, error: %v\n", len(first), same, err != nil)
	down = false
	paid, err := client.Create(context.Background(), order)
	if err != nil {
		panic(err)
	}
	fmt.Printf("the second call for the same order: %s, the same key: %v\n", paid.Status, keys[len(keys)-1] == first[0])
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
the first call: sent 4 times, one key: true, error: true
the second call for the same order: approved, the same key: false
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
