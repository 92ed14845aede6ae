#!/usr/bin/env bash
# A time.Time that is stored in SQLite is compared as the text of its own zone.
# Ran on 2026-11-30: modernc.org/sqlite v1.50.0 and ncruces/go-sqlite3 v0.37.0 through database/sql; Go 1.26.
# Guess: a driver that takes time.Time writes an instant; `due <= ?` finds the rows that are due, whichever zone the values carry.
# Seen:  with both a row of Hong Kong that has been due for a minute is not found for eight hours, and one of New York is found five hours early. With ncruces a due time on the full second is not found within that second.
# Why:   SQLite has no type for times; the drivers write the zone's local time and its offset behind it, and ncruces ends UTC with Z, which is greater than the point of a fraction.
# So:    a table of retries that is filled by machines, or by code, of several zones is polled too early and too late. Store integers, or UTC of a fixed length.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get modernc.org/sqlite@v1.50.0 github.com/ncruces/go-sqlite3@v0.37.0 2>&1 | grep -E 'modernc.org/sqlite|github.com/ncruces/go-sqlite3' || true
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"
)

func main() {
	now := time.Date(2026, 11, 30, 10, 0, 0, 500_000_000, time.UTC)
	zone := func(name string, hours int) *time.Location { return time.FixedZone(name, hours*3600) }
	rows := []struct {
		what string
		due  time.Time
	}{
		{"a minute ago, in UTC", now.Add(-time.Minute)},
		{"a minute ago, in Hong Kong", now.Add(-time.Minute).In(zone("HKT", 8))},
		{"half a second ago, on the second", now.Truncate(time.Second)},
		{"in a minute, in UTC", now.Add(time.Minute)},
		{"in four hours, in New York", now.Add(4 * time.Hour).In(zone("EST", -5))},
	}
	for _, module := range []string{"modernc", "ncruces"} {
		driver := map[string]string{"modernc": "sqlite", "ncruces": "sqlite3"}[module]
		db, err := sql.Open(driver, "file:"+module+".db")
		if err != nil {
			panic(err)
		}
		if _, err := db.Exec("create table waits (what text, due datetime)"); err != nil {
			panic(err)
		}
		for _, r := range rows {
			if _, err := db.Exec("insert into waits values (?, ?)", r.what, r.due); err != nil {
				panic(err)
			}
		}
		for _, r := range rows {
			var text string
			var found bool
			if err := db.QueryRow("select cast(due as text), due <= ? from waits where what = ?", now, r.what).Scan(&text, &found); err != nil {
				panic(err)
			}
			fmt.Printf("%s: due %s: stored as %s, found now: %t\n", module, r.what, text, found)
		}
		db.Close()
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
modernc: due a minute ago, in UTC: stored as 2026-11-30 09:59:00.5 +0000 UTC, found now: true
modernc: due a minute ago, in Hong Kong: stored as 2026-11-30 17:59:00.5 +0800 HKT, found now: false
modernc: due half a second ago, on the second: stored as 2026-11-30 10:00:00 +0000 UTC, found now: true
modernc: due in a minute, in UTC: stored as 2026-11-30 10:01:00.5 +0000 UTC, found now: false
modernc: due in four hours, in New York: stored as 2026-11-30 09:00:00.5 -0500 EST, found now: true
ncruces: due a minute ago, in UTC: stored as 2026-11-30T09:59:00.5Z, found now: true
ncruces: due a minute ago, in Hong Kong: stored as 2026-11-30T17:59:00.5+08:00, found now: false
ncruces: due half a second ago, on the second: stored as 2026-11-30T10:00:00Z, found now: false
ncruces: due in a minute, in UTC: stored as 2026-11-30T10:01:00.5Z, found now: false
ncruces: due in four hours, in New York: stored as 2026-11-30T09:00:00.5-05:00, found now: true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
