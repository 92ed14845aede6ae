#!/usr/bin/env bash
# A fault that is set to hit half of the requests hits all requests of one connection and none of another.
# Ran on 2026-11-30: toxiproxy v2.12.0, net/http of Go 1.26.
# Guess: with a toxicity of 0.5 about ten of twenty requests are slow.
# Seen:  on each of 40 kept-alive connections all twenty are slow, or none.
# Why:   the coin is tossed once for each connection.
# So:    a client with one connection for each provider is tested with no fault at all, or with an outage; retries on the same connection are never seen to help. Close the connection after each request in such a test.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/Shopify/toxiproxy/v2@v2.12.0 2>&1 | grep -E 'github.com/Shopify/toxiproxy/v2' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	client "github.com/Shopify/toxiproxy/v2/client"
	"github.com/rs/zerolog"
)

func main() {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "paid") }))
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	at := port.Addr().String()
	port.Close()
	go toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()).Listen(at)
	time.Sleep(time.Second)
	proxy, err := client.NewClient(at).CreateProxy("provider", "127.0.0.1:0", strings.TrimPrefix(provider.URL, "http://"))
	if err != nil {
		panic(err)
	}
	if _, err := proxy.AddToxic("slow", "latency", "downstream", 0.5, client.Attributes{"latency": 300}); err != nil {
		panic(err)
	}
	type outcome struct{ slow, all int }
	outcomes := make(chan outcome)
	const connections = 40
	for range connections {
		go func() {
			c := &http.Client{Transport: &http.Transport{}}
			o := outcome{}
			for range 20 {
				begun := time.Now()
				r, err := c.Get("http://" + proxy.Listen)
				if err != nil {
					panic(err)
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if o.all++; time.Since(begun) >= 300*time.Millisecond {
					o.slow++
				}
			}
			outcomes <- o
		}()
	}
	all, none, mixed := 0, 0, 0
	for range connections {
		switch o := <-outcomes; o.slow {
		case o.all:
			all++
		case 0:
			none++
		default:
			mixed++
		}
	}
	fmt.Println("some connections with all of 20 requests slow:", all > 0, "; some with none:", none > 0, "; with some of them:", mixed)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
some connections with all of 20 requests slow: true ; some with none: true ; with some of them: 0
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
