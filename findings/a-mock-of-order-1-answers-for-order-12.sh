#!/usr/bin/env bash
# A test that asks for order 12 gets the answer that was made for order 1.
# Ran on 2026-12-01: h2non/gock v1.2.0, Go 1.26, beside jarcoal/httpmock v1.4.2.
# Guess: a mock of GET /payments/1 answers that path and no other.
# Seen:  gock answers /payments/12 and /v2/payments/1/refunds too, a mock of the parameter order=1 answers order=12, and one of the body `amount=100` takes amount=1000 and order=7&amount=100. httpmock answers none but its own.
# Why:   paths, parameters and bodies that are not equal are tried as regular expressions without anchors; a point in 19.99 is any character.
# So:    a test passes in which the code asks for another order or sends ten times the amount. Write ^/payments/1$, and compare bodies with JSON, which is exact but for ids beyond 2^53.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/h2non/gock@v1.2.0 github.com/jarcoal/httpmock@v1.4.2 2>&1 | grep -E 'added (github.com/h2non/gock|github.com/jarcoal/httpmock) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/h2non/gock"
	"github.com/jarcoal/httpmock"
)

func send(method, address, body string) string {
	request, _ := http.NewRequest(method, "http://provider.example"+address, strings.NewReader(body))
	if strings.HasPrefix(body, "{") {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "no answer"
	}
	response.Body.Close()
	return fmt.Sprint(response.StatusCode)
}

func main() {
	for _, path := range []string{"/payments/1", "/payments/12", "/v2/payments/1/refunds", "/payments/2"} {
		gock.New("http://provider.example").Get("/payments/1").Reply(200)
		fmt.Println("gock, GET /payments/1 is mocked, GET", path, "is sent:", send("GET", path, ""))
		gock.Off()
	}
	for _, query := range []string{"order=1", "order=12", "order=2"} {
		gock.New("http://provider.example").Get("/status").MatchParam("order", "1").Reply(200)
		fmt.Println("gock, the parameter order 1 is mocked,", query, "is sent:", send("GET", "/status?"+query, ""))
		gock.Off()
	}
	for _, body := range []string{"amount=100", "amount=1000", "order=7&amount=100", "amount=200"} {
		gock.New("http://provider.example").Post("/payments").BodyString("amount=100").Reply(201)
		fmt.Println("gock, the body amount=100 is mocked,", body, "is sent:", send("POST", "/payments", body))
		gock.Off()
	}
	for _, body := range []string{`{"amount":100}`, `{"amount":1000}`} {
		gock.New("http://provider.example").Post("/payments").JSON(map[string]int{"amount": 100}).Reply(201)
		fmt.Println("gock, JSON of amount 100 is mocked,", body, "is sent:", send("POST", "/payments", body))
		gock.Off()
	}
	httpmock.Activate()
	httpmock.RegisterResponder("GET", "http://provider.example/payments/1", httpmock.NewStringResponder(200, ""))
	for _, path := range []string{"/payments/1", "/payments/12"} {
		fmt.Println("httpmock, GET /payments/1 is mocked, GET", path, "is sent:", send("GET", path, ""))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
gock, GET /payments/1 is mocked, GET /payments/1 is sent: 200
gock, GET /payments/1 is mocked, GET /payments/12 is sent: 200
gock, GET /payments/1 is mocked, GET /v2/payments/1/refunds is sent: 200
gock, GET /payments/1 is mocked, GET /payments/2 is sent: no answer
gock, the parameter order 1 is mocked, order=1 is sent: 200
gock, the parameter order 1 is mocked, order=12 is sent: 200
gock, the parameter order 1 is mocked, order=2 is sent: no answer
gock, the body amount=100 is mocked, amount=100 is sent: 201
gock, the body amount=100 is mocked, amount=1000 is sent: 201
gock, the body amount=100 is mocked, order=7&amount=100 is sent: 201
gock, the body amount=100 is mocked, amount=200 is sent: no answer
gock, JSON of amount 100 is mocked, {"amount":100} is sent: 201
gock, JSON of amount 100 is mocked, {"amount":1000} is sent: no answer
httpmock, GET /payments/1 is mocked, GET /payments/1 is sent: 200
httpmock, GET /payments/1 is mocked, GET /payments/12 is sent: no answer
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
