#!/usr/bin/env bash
# Ten tries with a wait of at most 40 ms are three tries.
# Ran on 2026-11-30: k8s.io/apimachinery v0.37.2 (util/wait) beside juju/retry v1.0.1; Go 1.26.
# Guess: a cap bounds each wait; the number of tries is what Steps says.
# Seen:  with waits of 10 and 20 ms the third try is the last, for the next wait would pass 40 ms. A first wait over the cap leaves one try. Without a factor there are ten. juju/retry tries ten times in the same setting.
# Why:   when a multiplied wait passes the cap, the remaining steps are set to zero.
# So:    whoever bounds the wait of a status query "to ask more often" gives it up after three answers. Leave Cap out and bound the time by a context, or keep Factor at 1.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get k8s.io/apimachinery@v0.37.2 github.com/juju/retry@v1.0.1 github.com/juju/clock@v1.1.1 2>&1 | grep -E 'k8s.io/apimachinery|github.com/juju/retry|github.com/juju/clock' || true
cat >main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/juju/clock"
	"github.com/juju/retry"
	"k8s.io/apimachinery/pkg/util/wait"
)

func main() {
	const ms = time.Millisecond
	for _, b := range []wait.Backoff{
		{Duration: 10 * ms, Factor: 2, Steps: 10, Cap: 40 * ms},
		{Duration: 50 * ms, Factor: 2, Steps: 10, Cap: 40 * ms},
		{Duration: 10 * ms, Factor: 1, Steps: 10, Cap: 40 * ms},
		{Duration: ms, Factor: 2, Steps: 8},
	} {
		tries := 0
		err := wait.ExponentialBackoff(b, func() (bool, error) { tries++; return false, nil })
		fmt.Printf("wait: from %s, times %g, %d steps, cap %s: %d tries, %v\n", b.Duration, b.Factor, b.Steps, b.Cap, tries, err)
	}
	tries := 0
	err := retry.Call(retry.CallArgs{
		Func: func() error { tries++; return errors.New("pending") }, Attempts: 10,
		Delay: 10 * ms, MaxDelay: 40 * ms, BackoffFunc: retry.DoubleDelay, Clock: clock.WallClock,
	})
	fmt.Printf("juju: from 10ms, times 2, 10 attempts, at most 40ms: %d tries, %v\n", tries, err)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
wait: from 10ms, times 2, 10 steps, cap 40ms: 3 tries, timed out waiting for the condition
wait: from 50ms, times 2, 10 steps, cap 40ms: 1 tries, timed out waiting for the condition
wait: from 10ms, times 1, 10 steps, cap 40ms: 10 tries, timed out waiting for the condition
wait: from 1ms, times 2, 8 steps, cap 0s: 8 tries, timed out waiting for the condition
juju: from 10ms, times 2, 10 attempts, at most 40ms: 10 tries, attempt count exceeded: pending
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
