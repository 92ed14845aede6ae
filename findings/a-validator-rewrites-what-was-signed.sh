#!/usr/bin/env bash
# A request validator changes the bytes of the body, but only of some bodies.
# Ran on 2026-11-30: kin-openapi v0.153.0 (openapi3filter); Go 1.26.
# Guess: validating a request leaves its body as it came, so a signature over it can be checked afterwards.
# Seen:  a body that lacks an optional field with a default is replaced: the field is added, keys are sorted, < is escaped. A body that has the field passes as it is. No error, no log.
# Why:   defaults are set while the body is validated, and then the whole value is encoded anew; Options.SkipSettingDefaults turns it off.
# So:    behind this middleware the HMAC of a provider's notice is right in each test that fills in all fields, and wrong for the short notices of real traffic. Check the signature first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/getkin/kin-openapi@v0.153.0 2>&1 | grep -E 'github.com/getkin/kin-openapi' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const document = `
openapi: 3.0.3
info: {title: notices, version: "1"}
paths:
  /notice:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [orderId, amount]
              properties:
                orderId: {type: string}
                amount: {type: integer, format: int64}
                note: {type: string}
                kind: {type: string, default: payment}
      responses: {"200": {description: taken}}
`

func sign(body string) string {
	h := hmac.New(sha256.New, []byte("secret"))
	h.Write([]byte(body))
	return fmt.Sprintf("%.4x", h.Sum(nil))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	router := must(gorillamux.NewRouter(must(openapi3.NewLoader().LoadFromData([]byte(document)))))
	for _, body := range []string{
		`{"orderId":"A-7","amount":50000,"kind":"payment","note":"<b>"}`,
		`{"orderId":"A-7","amount":50000,"note":"<b>"}`,
	} {
		for _, skip := range []bool{false, true} {
			r := must(http.NewRequest("POST", "/notice", strings.NewReader(body)))
			r.Header.Set("Content-Type", "application/json")
			route, params, err := router.FindRoute(r)
			if err != nil {
				panic(err)
			}
			err = openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{SkipSettingDefaults: skip},
			})
			after := string(must(io.ReadAll(r.Body)))
			fmt.Printf("sent %s\n  defaults skipped: %t, error: %v, signature still right: %t\n  read %s\n", body, skip, err, sign(after) == sign(body), after)
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
sent {"orderId":"A-7","amount":50000,"kind":"payment","note":"<b>"}
  defaults skipped: false, error: <nil>, signature still right: true
  read {"orderId":"A-7","amount":50000,"kind":"payment","note":"<b>"}
sent {"orderId":"A-7","amount":50000,"kind":"payment","note":"<b>"}
  defaults skipped: true, error: <nil>, signature still right: true
  read {"orderId":"A-7","amount":50000,"kind":"payment","note":"<b>"}
sent {"orderId":"A-7","amount":50000,"note":"<b>"}
  defaults skipped: false, error: <nil>, signature still right: false
  read {"amount":50000,"kind":"payment","note":"\u003cb\u003e","orderId":"A-7"}
sent {"orderId":"A-7","amount":50000,"note":"<b>"}
  defaults skipped: true, error: <nil>, signature still right: true
  read {"orderId":"A-7","amount":50000,"note":"<b>"}
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
