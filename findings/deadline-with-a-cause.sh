#!/usr/bin/env bash
# Giving a deadline a reason (context.WithTimeoutCause) makes timeouts stop being timeouts.
# Ran on 2026-11-29: net/http of Go 1.26, cenkalti/backoff v4.3.0 and v5.0.3, sethvargo/go-retry v0.5.0.
# Guess: the cause is extra information; errors.Is(err, context.DeadlineExceeded) and the Timeout() of an http.Client's
#        error stay true.
# Seen:  net/http, backoff v5 and go-retry return the bare cause: Is is false and Timeout() is false. backoff v4
#        goes on saying DeadlineExceeded. Without a cause all four are alike.
# Why:   they return context.Cause(ctx) instead of ctx.Err(), and a cause of errors.New wraps nothing.
# So:    code that sorts "timeout: in doubt" from "other error: failed" misjudges a timed-out payment once the deadline gets
#        a reason, or once backoff v4 becomes v5. Let the cause wrap DeadlineExceeded.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/cenkalti/backoff/v4@v4.3.0 github.com/cenkalti/backoff/v5@v5.0.3 github.com/sethvargo/go-retry@v0.5.0 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	backoff4 "github.com/cenkalti/backoff/v4"
	backoff5 "github.com/cenkalti/backoff/v5"
	"github.com/sethvargo/go-retry"
)

var busy = errors.New("busy")

func main() {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	for _, cause := range []error{nil, errors.New("the customer's page has expired")} {
		try := func(name string, run func(context.Context) error) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, cause)
			defer cancel()
			err := run(ctx)
			var n net.Error
			fmt.Printf("cause %-5v %-9s Is(DeadlineExceeded) %-5v Timeout() %v\n", cause != nil, name,
				errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout())
		}
		try("net/http", func(ctx context.Context) error {
			r, _ := http.NewRequestWithContext(ctx, "POST", slow.URL, nil)
			_, err := http.DefaultClient.Do(r)
			return err
		})
		try("backoff4", func(ctx context.Context) error {
			return backoff4.Retry(func() error { return busy }, backoff4.WithContext(backoff4.NewConstantBackOff(time.Second), ctx))
		})
		try("backoff5", func(ctx context.Context) error {
			_, err := backoff5.Retry(ctx, func() (int, error) { return 0, busy }, backoff5.WithBackOff(backoff5.NewConstantBackOff(time.Second)))
			return err
		})
		try("go-retry", func(ctx context.Context) error {
			return retry.Do(ctx, retry.NewConstant(time.Second), func(context.Context) error { return retry.RetryableError(busy) })
		})
	}
}
GO
cat >expected.txt <<'TXT'
cause false net/http  Is(DeadlineExceeded) true  Timeout() true
cause false backoff4  Is(DeadlineExceeded) true  Timeout() true
cause false backoff5  Is(DeadlineExceeded) true  Timeout() true
cause false go-retry  Is(DeadlineExceeded) true  Timeout() true
cause true  net/http  Is(DeadlineExceeded) false Timeout() false
cause true  backoff4  Is(DeadlineExceeded) true  Timeout() true
cause true  backoff5  Is(DeadlineExceeded) false Timeout() false
cause true  go-retry  Is(DeadlineExceeded) false Timeout() false
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
