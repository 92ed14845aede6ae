#!/usr/bin/env bash
# The text wrapped around a "do not retry" or "retry" mark is dropped from the final error.
# Ran on 2026-11-29: cenkalti/backoff v4.3.0 and v5.0.3, sethvargo/go-retry v0.5.0, avast/retry-go v5.1.1.
# Guess: wrapping a marked error, fmt.Errorf("order o-17: %w", backoff.Permanent(err)), keeps its wrapping in what Retry returns,
#        as errors.As finds the mark through it.
# Seen:  the mark is found, but backoff v4, v5 and go-retry return only what is *inside* the mark: "order o-17" is gone, and
#        so is any typed error of the outer layers. retry-go keeps it all.
# Why:   they return the marked error's Unwrap(), not the error they were given.
# So:    the final error of a payment loses the order it is about, and errors.As for an outer type fails, only on the last
#        try. Put the mark outermost.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/cenkalti/backoff/v4@v4.3.0 github.com/cenkalti/backoff/v5@v5.0.3 github.com/sethvargo/go-retry@v0.5.0 \
  github.com/avast/retry-go/v5@v5.1.1 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	retrygo "github.com/avast/retry-go/v5"
	backoff4 "github.com/cenkalti/backoff/v4"
	backoff5 "github.com/cenkalti/backoff/v5"
	"github.com/sethvargo/go-retry"
)

type OrderError struct {
	Order string
	Err   error
}

func (e *OrderError) Error() string { return "order " + e.Order + ": " + e.Err.Error() }
func (e *OrderError) Unwrap() error { return e.Err }

func main() {
	ctx, declined := context.Background(), errors.New("card declined")
	show := func(name string, err error) {
		var order *OrderError
		fmt.Printf("%-9s %-28q OrderError found: %v\n", name, err, errors.As(err, &order))
	}
	wrap := func(err error) error { return &OrderError{"o-17", err} }
	show("backoff4", backoff4.Retry(func() error { return wrap(backoff4.Permanent(declined)) }, backoff4.NewConstantBackOff(0)))
	_, err := backoff5.Retry(ctx, func() (int, error) { return 0, wrap(backoff5.Permanent(declined)) })
	show("backoff5", err)
	show("go-retry", retry.Do(ctx, retry.WithMaxRetries(1, retry.NewConstant(time.Millisecond)), func(context.Context) error {
		return wrap(retry.RetryableError(declined))
	}))
	all := retrygo.New(retrygo.LastErrorOnly(true)).Do(func() error { return wrap(retrygo.Unrecoverable(declined)) })
	show("retry-go", all)
}
GO
cat >expected.txt <<'TXT'
backoff4  "card declined"              OrderError found: false
backoff5  "card declined"              OrderError found: false
go-retry  "card declined"              OrderError found: false
retry-go  "order o-17: card declined"  OrderError found: true
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
