#!/usr/bin/env bash
# The retry of a request is sent without its body, and the retry of a file's upload with an empty file.
# Ran on 2026-11-30: resty v2.17.2 beside go-retryablehttp v0.7.8 and rehttp v1.4.0, Go 1.26.
# Guess: a client with retries sends the same request again, or refuses to repeat a body that it cannot read twice.
# Seen:  resty with a body from a strings.Reader, a bytes.Buffer or a file sends it once and then an empty body; SetFileReader sends a form whose file is empty. A string or a struct is repeated whole. The other two repeat each reader.
# Why:   the reader is at its end after the first try, and nothing rewinds it or says so.
# So:    a provider that answered 503 to a file of payouts gets an empty one, accepts it, and the caller has a 200. Pass bytes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/go-resty/resty/v2@v2.17.2 github.com/hashicorp/go-retryablehttp@v0.7.8 github.com/PuerkitoBio/rehttp@v1.4.0 2>&1 | grep -E 'added (github.com/go-resty/resty/v2|github.com/hashicorp/go-retryablehttp|github.com/PuerkitoBio/rehttp) ' || true
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
)

const body = "order-7;1999"

func main() {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent []byte
		if file, _, err := r.FormFile("payouts"); err == nil {
			sent, _ = io.ReadAll(file)
		} else {
			sent, _ = io.ReadAll(r.Body)
		}
		if seen = append(seen, fmt.Sprintf("%q", sent)); len(seen) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	show := func(name string, status int, err error) {
		fmt.Printf("%s: %s; the caller has %d, error %v\n", name, strings.Join(seen, " then "), status, err)
		seen = nil
	}
	client := resty.New().SetRetryCount(2).SetRetryWaitTime(time.Millisecond).AddRetryCondition(func(r *resty.Response, _ error) bool { return r.StatusCode() >= 500 })
	for _, c := range []struct {
		name string
		r    *resty.Request
	}{
		{"resty, string", client.R().SetBody(body)},
		{"resty, strings.Reader", client.R().SetBody(strings.NewReader(body))},
		{"resty, bytes.Buffer", client.R().SetBody(bytes.NewBufferString(body))},
		{"resty, SetFileReader", client.R().SetFileReader("payouts", "payouts.csv", strings.NewReader(body))},
	} {
		r, err := c.r.Post(server.URL)
		show(c.name, r.StatusCode(), err)
	}
	retryable := retryablehttp.NewClient()
	retryable.Logger, retryable.RetryWaitMin, retryable.RetryWaitMax = nil, time.Millisecond, time.Millisecond
	r, err := retryable.Post(server.URL, "text/csv", strings.NewReader(body))
	show("go-retryablehttp, strings.Reader", r.StatusCode, err)
	re := &http.Client{Transport: rehttp.NewTransport(nil, rehttp.RetryAll(rehttp.RetryMaxRetries(2), rehttp.RetryStatuses(503)), rehttp.ConstDelay(time.Millisecond))}
	r, err = re.Post(server.URL, "text/csv", io.MultiReader(strings.NewReader(body)))
	show("rehttp, a reader", r.StatusCode, err)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
resty, string: "order-7;1999" then "order-7;1999"; the caller has 200, error <nil>
resty, strings.Reader: "order-7;1999" then ""; the caller has 200, error <nil>
resty, bytes.Buffer: "order-7;1999" then ""; the caller has 200, error <nil>
resty, SetFileReader: "order-7;1999" then ""; the caller has 200, error <nil>
go-retryablehttp, strings.Reader: "order-7;1999" then "order-7;1999"; the caller has 200, error <nil>
rehttp, a reader: "order-7;1999" then "order-7;1999"; the caller has 200, error <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
