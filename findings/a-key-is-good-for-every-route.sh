#!/usr/bin/env bash
# fiber's idempotency middleware answers a refund with what the payment of the same key got.
# Ran on 2026-11-30: fiber v3.1.0's idempotency middleware with its defaults; Go 1.26.
# Guess: a key belongs to one method and path, and another body under it is refused (409 or 422); an answer 503 is not kept.
# Seen:  the key alone decides: another route and another body get the first one's answer, and their handler does not run.
#        A 503 is kept as well, for 30 minutes, so the retry that the key was made for never reaches the handler.
# Why:   the response is stored under the header's value as it is; only an error that the handler returns is not stored.
# So:    a client that makes one key per purchase is told that its refund succeeded. Mount it per route, and return an error for what may be tried again.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/gofiber/fiber/v3@v3.1.0 2>&1 | grep -E 'github.com/gofiber/fiber/v3' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/idempotency"
)

func main() {
	app, down := fiber.New(), 0
	app.Use(idempotency.New())
	app.Post("/pay", func(c fiber.Ctx) error { return c.SendString("paid " + string(c.Body())) })
	app.Post("/refund", func(c fiber.Ctx) error { return c.SendString("refunded " + string(c.Body())) })
	app.Post("/busy", func(c fiber.Ctx) error { down++; return c.Status(503).SendString(fmt.Sprint("busy, run ", down)) })
	for _, call := range []struct{ path, key, body string }{
		{"/pay", "1", "100 USD"}, {"/pay", "1", "999 USD"}, {"/refund", "1", "50 USD"}, {"/busy", "2", ""}, {"/busy", "2", ""},
	} {
		r := httptest.NewRequest("POST", call.path, strings.NewReader(call.body))
		r.Header.Set("X-Idempotency-Key", "00000000-0000-4000-8000-00000000000"+call.key)
		resp, err := app.Test(r)
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(resp.Body)
		fmt.Printf("POST %-8s %-8s key %s: %d %s\n", call.path, call.body, call.key, resp.StatusCode, text)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
POST /pay     100 USD  key 1: 200 paid 100 USD
POST /pay     999 USD  key 1: 200 paid 100 USD
POST /refund  50 USD   key 1: 200 paid 100 USD
POST /busy             key 2: 503 busy, run 1
POST /busy             key 2: 503 busy, run 1
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
