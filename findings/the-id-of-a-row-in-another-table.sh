#!/usr/bin/env bash
# The id of a payment that was known already is the id of a row in another table.
# Ran on 2026-11-30: modernc.org/sqlite v1.62.0 beside ncruces/go-sqlite3 v0.37.0, database/sql of Go 1.26.
# Guess: LastInsertId after an INSERT that inserted nothing is 0, an error, or the id of the row that was there.
# Seen:  with modernc.org/sqlite it is 77, the id of the log entry that was written before: after ON CONFLICT DO NOTHING, after INSERT OR IGNORE, and after ON CONFLICT DO UPDATE, which affects one row. ncruces gives 0 in all of them.
# Why:   SQLite's last_insert_rowid belongs to the connection, not to the statement; in a pool it is the id of what any other request wrote on that connection.
# So:    an upsert whose result names the payment names another one, only for repeated webhooks. Use RETURNING id, or read the row by its key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get modernc.org/sqlite@v1.62.0 github.com/ncruces/go-sqlite3@v0.37.0 2>&1 | grep -E 'modernc.org/sqlite|github.com/ncruces/go-sqlite3' || true
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"

	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	for _, d := range []struct{ name, driver string }{{"modernc", "sqlite"}, {"ncruces", "sqlite3"}} {
		db, err := sql.Open(d.driver, "file:"+d.name+"?mode=memory&cache=shared")
		check(err)
		db.SetMaxOpenConns(1)
		for _, q := range []string{
			"create table payment (id integer primary key, event text unique, status text)",
			"create table log (id integer primary key, line text)",
			"insert into payment values (1, 'evt_1', 'open'), (2, 'evt_2', 'open')",
			"insert into log values (77, 'a webhook came')",
		} {
			_, err := db.Exec(q)
			check(err)
		}
		for _, q := range []string{
			"insert into payment (event) values ('evt_1') on conflict do nothing",
			"insert or ignore into payment (event) values ('evt_1')",
			"insert into payment (event) values ('evt_1') on conflict (event) do update set status = 'paid'",
		} {
			r, err := db.Exec(q)
			check(err)
			id, err := r.LastInsertId()
			check(err)
			n, err := r.RowsAffected()
			check(err)
			fmt.Printf("%s: %s: LastInsertId %d, rows %d\n", d.name, q, id, n)
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
modernc: insert into payment (event) values ('evt_1') on conflict do nothing: LastInsertId 77, rows 0
modernc: insert or ignore into payment (event) values ('evt_1'): LastInsertId 77, rows 0
modernc: insert into payment (event) values ('evt_1') on conflict (event) do update set status = 'paid': LastInsertId 77, rows 1
ncruces: insert into payment (event) values ('evt_1') on conflict do nothing: LastInsertId 0, rows 0
ncruces: insert or ignore into payment (event) values ('evt_1'): LastInsertId 0, rows 0
ncruces: insert into payment (event) values ('evt_1') on conflict (event) do update set status = 'paid': LastInsertId 0, rows 1
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
