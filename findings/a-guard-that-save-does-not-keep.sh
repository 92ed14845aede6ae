#!/usr/bin/env bash
# A payment that is cancelled only `where status = 'open'` is cancelled though it is paid.
# Ran on 2026-11-30: gorm v1.31.2, optimisticlock v1.1.3, on glebarez/sqlite v1.11.0, Go 1.26.
# Guess: db.Where("status = ?", "open").Save(&p) changes nothing when the row is paid by now, and says 0 rows.
# Seen:  the row is cancelled, and RowsAffected is 1. A stale copy with a version of the optimisticlock plugin is written too, by the same Save, and a row that was deleted is there again. Select("*").Updates(&p) affects 0 rows in each case.
# Why:   when the UPDATE finds no row, Save goes on with an INSERT that overwrites the row of that key, without the condition.
# So:    the guard that makes a transition safe is the reason that it is lost: what a webhook wrote in between is overwritten by the copy. Use Updates and look at RowsAffected.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get gorm.io/gorm@v1.31.2 github.com/glebarez/sqlite@v1.11.0 gorm.io/plugin/optimisticlock@v1.1.3 2>&1 | grep -E 'gorm.io/gorm|github.com/glebarez/sqlite|gorm.io/plugin/optimisticlock' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/plugin/optimisticlock"
)

type payment struct {
	ID     int64
	Status string
}

type versioned struct {
	ID      int64
	Status  string
	Version optimisticlock.Version
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	db, err := gorm.Open(sqlite.Open("file:probe?mode=memory&cache=shared"), &gorm.Config{Logger: logger.Discard})
	check(err)
	check(db.AutoMigrate(&payment{}, &versioned{}))
	for _, way := range []string{"Save", "Updates"} {
		write := func(q *gorm.DB, row any) *gorm.DB {
			if way == "Save" {
				return q.Save(row)
			}
			return q.Select("*").Updates(row)
		}
		db.Exec("delete from payments")
		db.Exec("delete from versioneds")

		p := payment{ID: 1, Status: "open"}
		check(db.Create(&p).Error)
		check(db.Exec("update payments set status = 'paid'").Error) // a webhook
		p.Status = "cancelled"
		r := write(db.Where("status = ?", "open"), &p)
		check(r.Error)
		var stored payment
		check(db.First(&stored, 1).Error)
		fmt.Printf("%s where status = open, of a paid payment: rows %d, stored %s\n", way, r.RowsAffected, stored.Status)

		check(db.Create(&versioned{ID: 1, Status: "open"}).Error)
		var stale, fresh versioned
		check(db.First(&stale, 1).Error)
		check(db.First(&fresh, 1).Error)
		fresh.Status = "paid"
		check(db.Select("*").Updates(&fresh).Error)
		stale.Status = "cancelled"
		r = write(db, &stale)
		check(r.Error)
		var after versioned
		check(db.First(&after, 1).Error)
		fmt.Printf("%s of a stale version: rows %d, stored %s\n", way, r.RowsAffected, after.Status)

		check(db.Exec("delete from payments").Error)
		r = write(db, &p)
		check(r.Error)
		var rows int64
		check(db.Model(&payment{}).Count(&rows).Error)
		fmt.Printf("%s of a deleted row: rows %d, in the table %d\n", way, r.RowsAffected, rows)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
Save where status = open, of a paid payment: rows 1, stored cancelled
Save of a stale version: rows 1, stored cancelled
Save of a deleted row: rows 1, in the table 1
Updates where status = open, of a paid payment: rows 0, stored paid
Updates of a stale version: rows 0, stored paid
Updates of a deleted row: rows 0, in the table 0
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
