#!/usr/bin/env bash
# A server answers 200, writes 200 in its log, and the caller gets nothing.
# Ran on 2026-12-01: net/http of Go 1.26, chi v5.5.0, gin v1.12.0, echo v4.16.5.
# Guess: when a handler takes longer than the server's WriteTimeout, its Write fails, or its context ends, or the log says so.
# Seen:  the handler makes its charge, Write returns all bytes and no error, the context is alive, Flush returns no error, and the logs of chi, gin and echo have 200. The caller reads EOF.
# Why:   the time limit is a deadline of the connection: the answer goes into a buffer, and is thrown away when that is written out.
# So:    each charge that is slower than the limit is made, logged as answered, and repeated by a caller who saw a broken connection. Let the limit be longer than the slowest handler, use http.TimeoutHandler or a deadline of the context for that, and look for the missing answers in the proxy's log.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/go-chi/chi/v5@v5.5.0 github.com/gin-gonic/gin@v1.12.0 github.com/labstack/echo/v4@v4.16.5 2>&1 | grep -E 'added (github.com/go-chi/chi/v5|github.com/gin-gonic/gin|github.com/labstack/echo/v4) ' || true
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

func main() {
	status := regexp.MustCompile(`\b(200|499|5\d\d)\b`)
	run := func(name string, handler http.Handler, logged *bytes.Buffer) {
		server := httptest.NewUnstartedServer(handler)
		server.Config.WriteTimeout = 200 * time.Millisecond
		server.Start()
		response, err := http.Post(server.URL, "application/json", nil)
		server.Close()
		fmt.Printf("%s: the caller has an answer %t, an error %t; the log says %s\n", name, response != nil, err != nil, status.FindString(logged.String()))
	}
	charge := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(600 * time.Millisecond) // the charge takes longer than the server allows
		n, err := w.Write([]byte(`{"status":"paid"}`))
		alive := r.Context().Err() == nil
		fmt.Printf("Write: %d bytes, error %v; the context is alive: %t; Flush: error %v\n", n, err, alive, http.NewResponseController(w).Flush())
	}
	var logged bytes.Buffer
	run("chi", middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(&logged, "", 0), NoColor: true})(http.HandlerFunc(charge)), &logged)

	logged.Reset()
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.Use(gin.LoggerWithConfig(gin.LoggerConfig{Output: &logged, Formatter: func(p gin.LogFormatterParams) string { return fmt.Sprint(p.StatusCode) }}))
	g.POST("/", func(c *gin.Context) { charge(c.Writer, c.Request) })
	run("gin", g, &logged)

	logged.Reset()
	e := echo.New()
	e.Use(echomiddleware.LoggerWithConfig(echomiddleware.LoggerConfig{Output: &logged, Format: "${status}"}))
	e.POST("/", func(c echo.Context) error { charge(c.Response(), c.Request()); return nil })
	run("echo", e, &logged)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
Write: 17 bytes, error <nil>; the context is alive: true; Flush: error <nil>
chi: the caller has an answer false, an error true; the log says 200
Write: 17 bytes, error <nil>; the context is alive: true; Flush: error <nil>
gin: the caller has an answer false, an error true; the log says 200
Write: 17 bytes, error <nil>; the context is alive: true; Flush: error <nil>
echo: the caller has an answer false, an error true; the log says 200
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
