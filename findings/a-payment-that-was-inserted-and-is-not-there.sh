#!/usr/bin/env bash
# A payment whose insert reported success, with one row, is not there.
# Ran on 2026-12-01: pgx v5.13.0, pg 8.23.1 (npm), postgres 3.4.9 (npm), PostgreSQL 15 of Debian 12, Go 1.26, Node 20.
# Guess: outside of a transaction each statement of a batch stands for itself, and one that has succeeded is stored.
# Seen:  with pgx's Batch the inserts of the first two payments report INSERT 0 1 and no error, the third is refused, and none is stored. Several statements in one query of pg or postgres are undone the same way. Three queries that postgres sends in one go are stored but for the third.
# Why:   a batch has one Sync, and the server takes all up to it for one transaction.
# So:    who reads a batch result by result, and marks the first orders as paid before the error of a later one arrives, has marked payments that no table has. Read all results, and Close, before you believe one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/jackc/pgx/v5@v5.13.0 2>&1 | grep -E 'added (github.com/jackc/pgx/v5) ' || true
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1 postgres@3.4.9
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("PROBE"))
	if err != nil {
		panic(err)
	}
	if _, err := conn.Exec(ctx, "create table payment (id int primary key, amount int check (amount > 0))"); err != nil {
		panic(err)
	}
	batch := &pgx.Batch{}
	for id, amount := range []int{1999, 2999, -1} {
		batch.Queue("insert into payment values ($1, $2)", id, amount)
	}
	results := conn.SendBatch(ctx, batch)
	for id := range 3 {
		tag, err := results.Exec()
		fmt.Printf("pgx, payment %d: %q, failed %t\n", id, tag, err != nil)
	}
	results.Close()
	var stored int
	if err := conn.QueryRow(ctx, "select count(*) from payment").Scan(&stored); err != nil {
		panic(err)
	}
	fmt.Printf("pgx: stored %d\n", stored)
}
GO
cat >main.mjs <<'JS'
import pg from 'pg';
import postgres from 'postgres';

const pool = new pg.Pool({ connectionString: process.env.PROBE });
const sql = postgres(process.env.PROBE, { max: 1 });
const stored = async (name, send) => {
  await pool.query('truncate payment');
  await send().catch(() => {});
  console.log(`${name}: stored ${(await pool.query('select count(*)::int as n from payment')).rows[0].n}`);
};
const three = 'insert into payment values (1, 1999); insert into payment values (2, 2999); insert into payment values (3, -1)';
await stored('pg, one query of three statements', () => pool.query(three));
await stored('postgres, one query of three statements', () => sql.unsafe(three));
await stored('postgres, three queries at once', () => Promise.allSettled([1999, 2999, -1].map((amount, id) => sql`insert into payment values (${id}, ${amount})`)));
process.exit(0);
JS
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
pgx, payment 0: "INSERT 0 1", failed false
pgx, payment 1: "INSERT 0 1", failed false
pgx, payment 2: "", failed true
pgx: stored 0
pg, one query of three statements: stored 0
postgres, one query of three statements: stored 0
postgres, three queries at once: stored 2
TXT
{ go run . ; node main.mjs; } 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
