#!/usr/bin/env bash
# A job that failed as often as allowed is still in the queue, is never delivered again, and nothing says so.
# Ran on 2026-11-30: goqite v0.4.0 on SQLite with its job runner as it comes, NATS JetStream 2.15.3 with MaxDeliver 3; Go 1.26.
# Guess: after the last delivery a message goes to a dead-letter place, or is counted as pending or failed, or a log line says that it was given up.
# Seen:  both deliver three times and stop. The row and the message are there for good; JetStream counts 0 pending and 0 unacknowledged, goqite's log ends with the third error like the two before.
# Why:   the bound is a condition of the receiving query (goqite), or the consumer steps over the message (JetStream sends an advisory that one must have subscribed to).
# So:    a provider that is down for three tries leaves payments in doubt that no gauge shows: the queue looks empty to its consumers. Count the rows by age yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get maragu.dev/goqite@v0.4.0 modernc.org/sqlite@v1.50.0 github.com/nats-io/nats-server/v2@v2.15.3 github.com/nats-io/nats.go@v1.55.0 2>&1 | grep -E 'maragu.dev/goqite|modernc.org/sqlite|github.com/nats-io/nats-server/v2|github.com/nats-io/nats.go' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"
	_ "modernc.org/sqlite"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sqlite() {
	db := must(sql.Open("sqlite", "file:queue.db"))
	db.SetMaxOpenConns(1)
	must(db.Exec(string(must(os.ReadFile("schema.sql")))))
	q := goqite.New(goqite.NewOpts{DB: db, Name: "payments", Timeout: 100 * time.Millisecond})
	var log strings.Builder
	r := jobs.NewRunner(jobs.NewRunnerOpts{
		Limit: 1, Log: slog.New(slog.NewTextHandler(&log, nil)), PollInterval: 20 * time.Millisecond, Extend: 100 * time.Millisecond, Queue: q,
	})
	runs := 0
	r.Register("ask", func(context.Context, []byte) error { runs++; return errors.New("the provider is down") })
	must(jobs.Create(context.Background(), q, "ask", goqite.Message{Body: []byte("order 7")}))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	r.Start(ctx)
	var rows int
	if err := db.QueryRow("select count(*) from goqite").Scan(&rows); err != nil {
		panic(err)
	}
	kinds := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		_, text, _ := strings.Cut(line, `msg="`)
		text, _, _ = strings.Cut(text, `"`)
		kinds[text]++
	}
	fmt.Printf("goqite: runs %d in 3 s, rows left %d, log %v\n", runs, rows, kinds)
}

func jetstream() {
	s := must(server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: "store", NoLog: true, NoSigs: true}))
	go s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		panic("no server")
	}
	c := must(nats.Connect(s.ClientURL()))
	defer c.Close()
	js := must(c.JetStream())
	must(js.AddStream(&nats.StreamConfig{Name: "payments", Subjects: []string{"pay"}, Retention: nats.WorkQueuePolicy}))
	must(js.Publish("pay", []byte("order 7")))
	sub := must(js.PullSubscribe("pay", "worker", nats.MaxDeliver(3), nats.AckWait(200*time.Millisecond)))
	deliveries := 0
	for range 8 {
		all, _ := sub.Fetch(1, nats.MaxWait(400*time.Millisecond))
		for _, m := range all {
			deliveries++
			m.Nak()
		}
	}
	stream, worker := must(js.StreamInfo("payments")), must(js.ConsumerInfo("payments", "worker"))
	fmt.Printf("JetStream: deliveries %d, messages left %d, pending %d, unacknowledged %d\n", deliveries, stream.State.Msgs, worker.NumPending, worker.NumAckPending)
}

func main() {
	sqlite()
	jetstream()
}
GO
go mod tidy >/dev/null 2>&1
cp "$(go list -m -f '{{.Dir}}' maragu.dev/goqite)/schema_sqlite.sql" schema.sql
chmod +w schema.sql
cat >expected.txt <<'TXT'
goqite: runs 3 in 3 s, rows left 1, log map[Error running job:3 Running job:3 Starting job runner:1 Stopped job runner:1 Stopping job runner:1]
JetStream: deliveries 3, messages left 1, pending 0, unacknowledged 0
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
