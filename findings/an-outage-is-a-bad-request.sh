#!/usr/bin/env bash
# The outage of a provider is reported as a bad request of one's own, and one merchant's timeout is set on another's client.
# Ran on 2026-12-01: razorpay/razorpay-go v1.3.3, Go 1.26.
# Guess: the package has a ServerError and a GatewayError beside its BadRequestError, so 500, 502 and 503 are one of those two, and SetTimeout is its client's.
# Seen:  500 with SERVER_ERROR, 502 with a page and 503 without a body are each a *BadRequestError, the last two without a word; a 200 without a body is an empty answer without an error. With two clients SetTimeout of the first one sets the second one's: the first waits on, the second gives up.
# Why:   the kind is taken from a field internal_error_code, which none of these answers has, and all else is a bad request, whatever the status; SetTimeout works on the request object that was made last.
# So:    code that fails for good after a bad request fails a capture for good that was only not answered, and 502 may have been carried out. Take a BadRequestError of this package for unknown, and give each process one client.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/razorpay/razorpay-go@v1.3.3 2>&1 | grep -E 'added (github.com/razorpay/razorpay-go) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	razorpay "github.com/razorpay/razorpay-go"
)

func main() {
	status, body, wait := 200, "", time.Duration(0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(wait)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	client := func() *razorpay.Client {
		client := razorpay.NewClient("key", "secret")
		razorpay.Request.BaseURL = server.URL
		return client
	}
	first := client()
	capture := func(client *razorpay.Client) (map[string]any, error) {
		return client.Payment.Capture("pay_1", 1999, map[string]any{"currency": "INR"}, nil)
	}
	for _, answer := range []struct {
		status int
		body   string
	}{
		{200, `{"id":"pay_1","status":"captured"}`},
		{200, ""},
		{400, `{"error":{"code":"BAD_REQUEST_ERROR","description":"already captured"}}`},
		{500, `{"error":{"code":"SERVER_ERROR","description":"try later"}}`},
		{502, "<html>bad gateway</html>"},
		{503, ""},
	} {
		status, body = answer.status, answer.body
		seen, err := capture(first)
		fmt.Printf("capture, answer %d %s: %v, error %T %v\n", answer.status, answer.body, seen, err, err)
	}
	status, body, wait = 200, `{"id":"pay_1"}`, 2*time.Second
	second := client()
	first.SetTimeout(1)
	_, err := capture(first)
	fmt.Println("a provider of two seconds, the first client, which was set to one:", err != nil)
	_, err = capture(second)
	fmt.Println("a provider of two seconds, the second client, which was not:", err != nil)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
capture, answer 200 {"id":"pay_1","status":"captured"}: map[id:pay_1 status:captured], error <nil> <nil>
capture, answer 200 : map[], error <nil> <nil>
capture, answer 400 {"error":{"code":"BAD_REQUEST_ERROR","description":"already captured"}}: map[], error *errors.BadRequestError already captured
capture, answer 500 {"error":{"code":"SERVER_ERROR","description":"try later"}}: map[], error *errors.BadRequestError try later
capture, answer 502 <html>bad gateway</html>: map[], error *errors.BadRequestError 
capture, answer 503 : map[], error *errors.BadRequestError 
a provider of two seconds, the first client, which was set to one: false
a provider of two seconds, the second client, which was not: true
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
