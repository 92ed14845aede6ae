#!/usr/bin/env bash
# A half-open circuit breaker that lets all the waiting traffic through at once.
# Ran on 2026-11-29: eapache/go-resiliency v1.7.0 beside sony/gobreaker v2.4.0.
# Guess: after the pause a breaker sends one probe (as many as it needs successes) and refuses the rest until it has answered.
# Seen:  gobreaker starts 1 of 50 waiting calls. go-resiliency, asked for one success, starts all 50: its half-open state
#        counts results, not calls.
# Why:   Run refuses in the open state only; half-open has no limit on calls that have begun.
# So:    a provider that has just come back gets the whole backlog in the same instant, and 50 payments are on their
#        way before the first answer says that it is still down: 50 in doubt in place of one. Put a semaphore before it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/eapache/go-resiliency@v1.7.0 github.com/sony/gobreaker/v2@v2.4.0 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eapache/go-resiliency/breaker"
	"github.com/sony/gobreaker/v2"
)

func main() {
	eapache := breaker.New(1, 1, 50*time.Millisecond)
	sony := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
		MaxRequests: 1, Timeout: 50 * time.Millisecond,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.TotalFailures >= 1 },
	})
	probe("gobreaker", func(call func() error) error {
		_, err := sony.Execute(func() (int, error) { return 0, call() })
		return err
	})
	probe("go-resiliency", eapache.Run)
}

func probe(name string, run func(func() error) error) {
	down := errors.New("502")
	_ = run(func() error { return down }) // opens it
	time.Sleep(100 * time.Millisecond)    // half-open now
	var started atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_ = run(func() error { started.Add(1); time.Sleep(300 * time.Millisecond); return down })
		})
	}
	all.Wait()
	fmt.Printf("%-14s half-open, provider still down: %d of 50 calls were sent\n", name, started.Load())
}
GO
cat >expected.txt <<'TXT'
gobreaker      half-open, provider still down: 1 of 50 calls were sent
go-resiliency  half-open, provider still down: 50 of 50 calls were sent
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
