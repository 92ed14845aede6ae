#!/usr/bin/env bash
# A charge that a gateway answered with 504 is sent four times by the retry policy for UNAVAILABLE.
# Ran on 2026-11-30: grpc-go v1.85.0 and connect-go v1.21.1; Go 1.26.
# Guess: "gateway timeout" reaches the caller as DEADLINE_EXCEEDED or UNKNOWN, so a policy for UNAVAILABLE, the code of what was not begun, leaves it alone.
# Seen:  429, 502, 503 and 504 all become UNAVAILABLE, and the charge runs four times. 408 and 500 become UNKNOWN and are sent once. connect-go gives the same codes.
# Why:   gRPC's table from HTTP to its codes puts the four together: the client must have a code, and the gateway's is not gRPC.
# So:    behind a proxy UNAVAILABLE does not say that nothing happened. Retry it only for calls that carry an idempotency key, or look at the code's source.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get google.golang.org/grpc@v1.85.0 connectrpc.com/connect@v1.21.1 2>&1 | grep -E 'google.golang.org/grpc|connectrpc.com/connect' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

const policy = `{"methodConfig": [{"name": [{}], "retryPolicy": {
	"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

func main() {
	for _, code := range []int{408, 429, 500, 502, 503, 504} {
		var charges atomic.Int64
		// The charge is made, and the gateway in front of it answers for it.
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			charges.Add(1)
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			fmt.Fprintln(w, "<h1>", http.StatusText(code), "</h1>")
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		var p http.Protocols
		p.SetUnencryptedHTTP2(true)
		s := &http.Server{Protocols: &p, Handler: h}
		go s.Serve(l)
		c, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(policy))
		if err != nil {
			panic(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err = c.Invoke(ctx, "/pay.Pay/Charge", &emptypb.Empty{}, &emptypb.Empty{})
		cancel()
		n := charges.Load()

		plain := httptest.NewServer(h)
		_, says := connect.NewClient[emptypb.Empty, emptypb.Empty](http.DefaultClient, plain.URL+"/pay.Pay/Charge").
			CallUnary(context.Background(), connect.NewRequest(&emptypb.Empty{}))
		fmt.Printf("%d: gRPC says %v, charges %d; connect says %v\n", code, status.Code(err), n, connect.CodeOf(says))
		plain.Close()
		c.Close()
		s.Close()
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
408: gRPC says Unknown, charges 1; connect says unknown
429: gRPC says Unavailable, charges 4; connect says unavailable
500: gRPC says Unknown, charges 1; connect says unknown
502: gRPC says Unavailable, charges 4; connect says unavailable
503: gRPC says Unavailable, charges 4; connect says unavailable
504: gRPC says Unavailable, charges 4; connect says unavailable
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
