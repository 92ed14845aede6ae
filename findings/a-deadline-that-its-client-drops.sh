#!/usr/bin/env bash
# A charge with a deadline of a tenth of a second takes as long as the provider likes, and is made.
# Ran on 2026-12-01: midtrans/midtrans-go v1.3.8, Go 1.26.
# Guess: a client's SetContext gives its calls that context: a charge ends with its deadline, and one whose context is cancelled is not sent.
# Seen:  with a deadline of 100 ms the charge waits for the second that the provider needs, and succeeds; with a context that is cancelled already it is sent and succeeds. Only the HTTP client's own 80 seconds end it.
# Why:   the request with the context is a copy, and the copy is not the one that is sent.
# So:    what the caller has given up for lost is still on its way, and a second try begins beside it. Give the client an http.Client whose Timeout is the deadline, and take each charge for sent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/midtrans/midtrans-go@v1.3.8 2>&1 | grep -E 'added (github.com/midtrans/midtrans-go) ' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/midtrans/midtrans-go"
	"github.com/midtrans/midtrans-go/coreapi"
)

type local struct{ host string }

func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL = &url.URL{Scheme: "http", Host: l.host, Path: r.URL.Path}
	return http.DefaultTransport.RoundTrip(r)
}

func main() {
	charges := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		charges++
		time.Sleep(time.Second)
		fmt.Fprint(w, `{"status_code":"200","transaction_status":"capture"}`)
	}))
	defer server.Close()
	midtrans.DefaultLoggerLevel.LogLevel = midtrans.NoLogging
	midtrans.DefaultGoHttpClient.Transport = local{server.Listener.Addr().String()}
	short, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer stop()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, ctx := range []context.Context{short, cancelled} {
		var client coreapi.Client
		client.New("key", midtrans.Production)
		client.Options.SetContext(ctx)
		began := time.Now()
		answer, err := client.ChargeTransaction(&coreapi.ChargeReq{PaymentType: coreapi.PaymentTypeGopay, TransactionDetails: midtrans.TransactionDetails{OrderID: "A-7", GrossAmt: 1999}})
		seen := "no answer"
		if answer != nil {
			seen = answer.TransactionStatus
		}
		fmt.Printf("charge with a context that ends with %v: %s, error %v, after a second: %v; charges made: %d\n", ctx.Err(), seen, err != nil, time.Since(began) > 900*time.Millisecond, charges)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
charge with a context that ends with context deadline exceeded: capture, error false, after a second: true; charges made: 1
charge with a context that ends with context canceled: capture, error false, after a second: true; charges made: 2
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
