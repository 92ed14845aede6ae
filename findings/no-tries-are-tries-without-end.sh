#!/usr/bin/env bash
# A retry count of 0 in a configuration sends a payment until it succeeds.
# Ran on 2026-12-01: backoff v4.3.0 and v5.0.3, failsafe-go v0.9.8, go-retry v0.5.0, go-resiliency v1.7.0, juju/retry v1.0.1, Go 1.26; async 3.2.6, p-retry 9.0.0, async-retry 1.3.3, exponential-backoff 3.1.3, Node 20.
# Guess: 0 attempts or tries mean one call, none, or an error.
# Seen:  with a busy provider, backoff v5's WithMaxTries(0) and failsafe-go's WithMaxAttempts(0) call without an end, and async's retry with times: 0 five times. backoff v4's WithMaxRetries(0), go-retry, go-resiliency, p-retry, async-retry and exponential-backoff call once; juju/retry refuses.
# Why:   0 is `no bound` for some, and `not set, so my default` for others.
# So:    `payments: retries: 0`, meant to turn the retries off, is the opposite after a move from backoff v4 to v5. Refuse 0 in the configuration, or turn it into 1.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent async@3.2.6 p-retry@9.0.0 async-retry@1.3.3 exponential-backoff@3.1.3
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get github.com/cenkalti/backoff/v4@v4.3.0 github.com/cenkalti/backoff/v5@v5.0.3 github.com/failsafe-go/failsafe-go@v0.9.8 github.com/sethvargo/go-retry@v0.5.0 github.com/eapache/go-resiliency@v1.7.0 github.com/juju/retry@v1.0.1 2>&1 | grep -E 'retry|backoff|failsafe|resiliency' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	backoff4 "github.com/cenkalti/backoff/v4"
	backoff5 "github.com/cenkalti/backoff/v5"
	"github.com/eapache/go-resiliency/retrier"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/juju/clock"
	"github.com/juju/retry"
	goretry "github.com/sethvargo/go-retry"
)

const wait = time.Microsecond

// try counts the calls of a provider that is busy for 1000 calls.
func try(name string, send func(ctx context.Context, pay func() error) error) {
	calls := 0
	err := send(context.Background(), func() error {
		if calls++; calls > 1000 {
			return nil
		}
		return errors.New("busy")
	})
	said := fmt.Sprint(calls, " calls")
	if calls > 1000 {
		said = "more than 1000 calls"
	}
	fmt.Printf("%s: %s, error %v\n", name, said, err != nil)
}

func main() {
	try("backoff v4 WithMaxRetries(0)", func(_ context.Context, pay func() error) error {
		return backoff4.Retry(pay, backoff4.WithMaxRetries(backoff4.NewConstantBackOff(wait), 0))
	})
	try("backoff v5 WithMaxTries(0)", func(ctx context.Context, pay func() error) error {
		_, err := backoff5.Retry(ctx, func() (int, error) { return 0, pay() }, backoff5.WithBackOff(backoff5.NewConstantBackOff(wait)), backoff5.WithMaxTries(0))
		return err
	})
	try("failsafe-go WithMaxAttempts(0)", func(_ context.Context, pay func() error) error {
		return failsafe.With[any](retrypolicy.NewBuilder[any]().WithMaxAttempts(0).WithDelay(wait).Build()).Run(pay)
	})
	try("failsafe-go WithMaxRetries(0)", func(_ context.Context, pay func() error) error {
		return failsafe.With[any](retrypolicy.NewBuilder[any]().WithMaxRetries(0).WithDelay(wait).Build()).Run(pay)
	})
	try("go-retry WithMaxRetries(0)", func(ctx context.Context, pay func() error) error {
		return goretry.Do(ctx, goretry.WithMaxRetries(0, goretry.NewConstant(wait)), func(context.Context) error { return goretry.RetryableError(pay()) })
	})
	try("go-resiliency ConstantBackoff(0)", func(_ context.Context, pay func() error) error {
		return retrier.New(retrier.ConstantBackoff(0, wait), nil).Run(pay)
	})
	try("juju/retry Attempts: 0", func(_ context.Context, pay func() error) error {
		return retry.Call(retry.CallArgs{Func: pay, Delay: wait, Clock: clock.WallClock})
	})
}
GO
go mod tidy >/dev/null 2>&1
cat >main.mjs <<'JS'
import async from 'async';
import asyncRetry from 'async-retry';
import { backOff } from 'exponential-backoff';
import pRetry from 'p-retry';

const kinds = {
  'async times: 0': (pay) => async.retry({ times: 0, interval: 0 }, pay),
  'p-retry retries: 0': (pay) => pRetry(pay, { retries: 0, minTimeout: 0 }),
  'async-retry retries: 0': (pay) => asyncRetry(pay, { retries: 0, minTimeout: 0 }),
  'exponential-backoff numOfAttempts: 0': (pay) => backOff(pay, { numOfAttempts: 0, startingDelay: 0 }),
};
for (const [name, send] of Object.entries(kinds)) {
  let calls = 0;
  const error = await send(async () => {
    calls += 1;
    if (calls <= 1000) throw new Error('busy');
  }).then(() => false, () => true);
  console.log(`${name}: ${calls > 1000 ? 'more than 1000' : calls} calls, error ${error}`);
}
JS
all() { go run . && node main.mjs; }
cat >expected.txt <<'TXT'
backoff v4 WithMaxRetries(0): 1 calls, error true
backoff v5 WithMaxTries(0): more than 1000 calls, error false
failsafe-go WithMaxAttempts(0): more than 1000 calls, error false
failsafe-go WithMaxRetries(0): 1 calls, error true
go-retry WithMaxRetries(0): 1 calls, error true
go-resiliency ConstantBackoff(0): 1 calls, error true
juju/retry Attempts: 0: 0 calls, error true
async times: 0: 5 calls, error true
p-retry retries: 0: 1 calls, error true
async-retry retries: 0: 1 calls, error true
exponential-backoff numOfAttempts: 0: 1 calls, error true
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
