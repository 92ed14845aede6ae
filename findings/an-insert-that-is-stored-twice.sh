#!/usr/bin/env bash
# An INSERT whose answer was lost is sent a second time, on a new connection, and reported as a success.
# Ran on 2026-11-30: lib/pq v1.12.3, go-pg v10.11.0, pgx v5.13.0 (stdlib), pgdriver v1.2.18, Go 1.26, PostgreSQL 15 of Debian 12.
# Guess: database/sql repeats a statement only where the driver is sure that it was never sent; a lost answer is an error, and the row is stored once.
# Seen:  with lib/pq two rows and no error, whether the statement has parameters, is prepared, or returns a row; so with go-pg, if MaxRetries is set. pgx and pgdriver report an error and one row is stored.
# Why:   lib/pq calls a connection that the server has closed a bad one, also after the statement was written; database/sql takes bad connections for unused ones and tries again.
# So:    an append-only ledger or an outbox gets two entries when the database restarts at the wrong moment. Give each insert a key of its own with a unique index, and use a driver that knows the two cases apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export GOWORK=off GOFLAGS=-mod=mod
go version
go mod init probe >/dev/null 2>&1
go get github.com/lib/pq@v1.12.3 github.com/go-pg/pg/v10@v10.11.0 github.com/jackc/pgx/v5@v5.13.0 github.com/uptrace/bun/driver/pgdriver@v1.2.18 2>&1 | grep -E 'lib/pq|go-pg/pg|pgx|pgdriver' || true
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PROBE=127.0.0.1:$port
cat >main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-pg/pg/v10"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/uptrace/bun/driver/pgdriver"
)

func main() {
	server := os.Getenv("PROBE")
	var cuts atomic.Int32
	url := "postgres://probe@" + through(server, "A-17", &cuts) + "/postgres?sslmode=disable"
	own := open("pgx", "postgres://probe@"+server+"/postgres?sslmode=disable")
	if _, err := own.Exec("create table if not exists ledger (order_id text, amount int)"); err != nil {
		panic(err)
	}
	attempt := func(name string, insert func() error) {
		if _, err := own.Exec("delete from ledger"); err != nil {
			panic(err)
		}
		cuts.Store(1)
		err := insert()
		rows := 0
		if err := own.QueryRow("select count(*) from ledger").Scan(&rows); err != nil {
			panic(err)
		}
		fmt.Printf("%-22s rows %d, an error %t\n", name, rows, err != nil)
	}
	three(attempt, "lib/pq", open("postgres", url))
	three(attempt, "pgx", open("pgx", url))
	three(attempt, "pgdriver", sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url))))
	for _, retries := range []int{0, 3} {
		o, err := pg.ParseURL(url)
		if err != nil {
			panic(err)
		}
		o.MaxRetries = retries
		db := pg.Connect(o)
		if err := db.Ping(context.Background()); err != nil {
			panic(err)
		}
		attempt(fmt.Sprint("go-pg, MaxRetries ", retries), func() error { _, err := db.Exec("insert into ledger values (?, ?)", "A-17", 100); return err })
	}
}

func three(attempt func(string, func() error), name string, db *sql.DB) {
	if err := db.Ping(); err != nil {
		panic(err)
	}
	attempt(name+", parameters", func() error { _, err := db.Exec("insert into ledger values ($1, $2)", "A-17", 100); return err })
	attempt(name+", returning", func() error {
		return db.QueryRow("insert into ledger values ($1, $2) returning amount", "A-17", 100).Scan(new(int))
	})
	st, err := db.Prepare("insert into ledger values ($1, $2)")
	if err != nil {
		panic(err)
	}
	attempt(name+", prepared", func() error { _, err := st.Exec("A-17", 100); return err })
}

func open(driver, url string) *sql.DB {
	db, err := sql.Open(driver, url)
	if err != nil {
		panic(err)
	}
	if err := db.Ping(); err != nil {
		panic(err)
	}
	return db
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
lib/pq, parameters     rows 2, an error false
lib/pq, returning      rows 2, an error false
lib/pq, prepared       rows 2, an error false
pgx, parameters        rows 1, an error true
pgx, returning         rows 1, an error true
pgx, prepared          rows 1, an error true
pgdriver, parameters   rows 1, an error true
pgdriver, returning    rows 1, an error true
pgdriver, prepared     rows 1, an error true
go-pg, MaxRetries 0    rows 1, an error true
go-pg, MaxRetries 3    rows 2, an error false
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
