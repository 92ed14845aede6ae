#!/usr/bin/env bash
# A charge that outlives its timeout runs twice at once.
# Ran on 2026-12-01: asynq v0.26.0, Redis 7.0.15, Go 1.26.
# Guess: a task is tried again after its handler has returned: of one task one handler runs at a time, in one worker with one place too.
# Seen:  with a Timeout of one second and a handler that goes on for nine, because it waits for a provider, the second call begins while the first is running, and with Concurrency 1 too. Three calls end without an error, and the task is archived as failed.
# Why:   at the timeout the worker takes the task for failed and lets the handler go on by itself; only the context says so.
# So:    a provider that is slow for a minute gets a charge for each retry, at once, though each of them succeeds, and the place that Concurrency counts is free again. A handler must end with its context, and a charge needs an idempotency key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'redis-server=5:7.0.15*' 'redis-tools=5:7.0.15*' 'libjemalloc2=5.3.0*' 'liblzf1=3.6*' 'libatomic1=12.2.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PORT=$((20000 + RANDOM % 10000))
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-server" --port "$PORT" --bind 127.0.0.1 --save '' >/dev/null &
trap 'kill %1; rm -rf "$dir"' EXIT
sleep 1
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/hibiken/asynq@v0.26.0 2>&1 | grep -E 'added (github.com/hibiken/asynq) ' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

func main() {
	redis := asynq.RedisClientOpt{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	var calls, running, most atomic.Int32
	done := make(chan struct{}, 3)
	server := asynq.NewServer(redis, asynq.Config{
		Concurrency:    1,
		LogLevel:       asynq.FatalLevel,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
	})
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		calls.Add(1)
		if now := running.Add(1); now > most.Load() {
			most.Store(now)
		}
		time.Sleep(9 * time.Second)
		running.Add(-1)
		done <- struct{}{}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	if _, err := asynq.NewClient(redis).Enqueue(asynq.NewTask("charge", nil), asynq.Timeout(time.Second), asynq.MaxRetry(2)); err != nil {
		panic(err)
	}
	for range 3 {
		<-done
	}
	inspector := asynq.NewInspector(redis)
	queue, err := inspector.GetQueueInfo("default")
	if err != nil {
		panic(err)
	}
	fmt.Printf("charged %d times, each without an error; two at once: %v; tasks that are archived as failed: %d\n", calls.Load(), most.Load() > 1, queue.Archived)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
charged 3 times, each without an error; two at once: true; tasks that are archived as failed: 1
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
