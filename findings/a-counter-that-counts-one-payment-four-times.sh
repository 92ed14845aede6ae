#!/usr/bin/env bash
# A sum that a payment is added to once is four times too high, and the client reports a success.
# Ran on 2026-11-30: go-redis v9.23.0, redigo v1.9.3, Go 1.26; ioredis 6.0.0, redis 6.3.1, Node 20; miniredis v2.40.0 as the server.
# Guess: a client repeats commands that change nothing by being repeated; an INCRBY whose answer was lost is an error.
# Seen:  go-redis adds 100 twice, three times, four times, as one, two or three answers are lost, and returns no error; ioredis adds it twice. redigo and redis report an error, and 100 were added.
# Why:   go-redis repeats each command three times after any network error; ioredis sends what had no answer again after it has connected anew. Neither looks at which command it is.
# So:    spending limits, ledgers and rate limits in INCRBY drift with each restart of the server. Set MaxRetries: -1, autoResendUnfulfilledCommands: false, or add within a script that knows the payment's id.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go version
go mod init probe >/dev/null 2>&1
go get github.com/redis/go-redis/v9@v9.23.0 github.com/gomodule/redigo@v1.9.3 github.com/alicebob/miniredis/v2@v2.40.0 2>&1 | grep -E 'redis|redigo' || true
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent ioredis@6.0.0 redis@6.3.1
npm ls --depth 0 | tail -n +2
cat >client.mjs <<'JS'
import Redis from 'ioredis';
import { createClient } from 'redis';

const [name, at] = process.argv.slice(2);
const [host, port] = at.split(':');
try {
  if (name === 'ioredis') {
    const c = new Redis(Number(port), host);
    c.on('error', () => {});
    await c.ping();
    await c.incrby('paid-today', 100);
  } else {
    const c = createClient({ url: `redis://${at}` });
    c.on('error', () => {});
    await c.connect();
    await c.ping();
    await c.incrBy('paid-today', 100);
  }
  process.exit(0);
} catch {
  process.exit(1);
}
JS
cat >main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
)

func main() {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		panic(err)
	}
	var cuts atomic.Int32
	through := through(server.Addr(), "paid-today", &cuts)
	attempt := func(name string, lost int32, add func() error) {
		server.Del("paid-today")
		cuts.Store(lost)
		err := add()
		paid, _ := server.Get("paid-today")
		fmt.Printf("%-9s answers lost %d: paid-today %s, an error %t\n", name, lost, paid, err != nil)
	}
	ctx := context.Background()
	client := goredis.NewClient(&goredis.Options{Addr: through})
	conn, err := redis.Dial("tcp", through)
	if err != nil {
		panic(err)
	}
	for lost := range int32(3) {
		attempt("go-redis", lost+1, func() error { return client.IncrBy(ctx, "paid-today", 100).Err() })
	}
	attempt("redigo", 1, func() error { _, err := conn.Do("INCRBY", "paid-today", 100); return err })
	for _, name := range []string{"ioredis", "redis"} {
		attempt(name, 1, func() error { return exec.Command("node", "client.mjs", name, through).Run() })
	}
}

// through stands before a server. It forwards all bytes, but when the mark passes it lets the server work, gives the client no answer and
// closes the connection, as a restart, a failover or a proxy's idle timeout does.
func through(server, mark string, cuts *atomic.Int32) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go forward(client, server, mark, cuts)
		}
	}()
	return l.Addr().String()
}

func forward(client net.Conn, server, mark string, cuts *atomic.Int32) {
	to, err := net.Dial("tcp", server)
	if err != nil {
		panic(err)
	}
	var silent atomic.Bool
	go func() {
		defer to.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if bytes.Contains(b[:n], []byte(mark)) && cuts.Add(-1) >= 0 {
				silent.Store(true)
				time.AfterFunc(200*time.Millisecond, func() { client.Close() })
			}
			to.Write(b[:n])
		}
	}()
	defer client.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := to.Read(b)
		if err != nil {
			return
		}
		if !silent.Load() {
			client.Write(b[:n])
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
go-redis  answers lost 1: paid-today 200, an error false
go-redis  answers lost 2: paid-today 300, an error false
go-redis  answers lost 3: paid-today 400, an error false
redigo    answers lost 1: paid-today 100, an error true
ioredis   answers lost 1: paid-today 200, an error false
redis     answers lost 1: paid-today 100, an error true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
