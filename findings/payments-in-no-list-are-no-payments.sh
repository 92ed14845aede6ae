#!/usr/bin/env bash
# When the list of what is settled is empty, no payment is unsettled.
# Ran on 2026-11-30: gorm v1.31.2, bun v1.3.0 beside squirrel v1.5.4, xorm's builder v0.3.13, goqu v9.19.0 and sqlx v1.4.0, Go 1.26.
# Guess: `id not in ?` with an empty list selects each row, or is an error.
# Seen:  of three payments gorm's Where and bun's In and List select none; gorm's own Not, squirrel, xorm's builder and goqu select three, sqlx gives an error.
# Why:   an empty list is written as (NULL), and nothing is known to differ from NULL.
# So:    the first run of a reconciliation, and each after a day without a settlement, finds nothing to settle, and reports that all is well. Leave the condition out when the list is empty.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get gorm.io/gorm@v1.31.2 github.com/glebarez/sqlite@v1.11.0 github.com/uptrace/bun@v1.3.0 github.com/uptrace/bun/dialect/sqlitedialect@v1.3.0 github.com/Masterminds/squirrel@v1.5.4 github.com/jmoiron/sqlx@v1.4.0 xorm.io/builder@v0.3.13 github.com/doug-martin/goqu/v9@v9.19.0 2>&1 | grep -E 'gorm.io/gorm|github.com/glebarez/sqlite|github.com/uptrace/bun|github.com/uptrace/bun/dialect/sqlitedialect|github.com/Masterminds/squirrel|github.com/jmoiron/sqlx|xorm.io/builder|github.com/doug-martin/goqu/v9' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/Masterminds/squirrel"
	"github.com/doug-martin/goqu/v9"
	"github.com/glebarez/sqlite"
	"github.com/jmoiron/sqlx"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"xorm.io/builder"
)

func main() {
	db, err := gorm.Open(sqlite.Open("file:probe?mode=memory&cache=shared"), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		panic(err)
	}
	db.Exec("create table payments (id text)")
	db.Exec("insert into payments values ('A-1'), ('A-2'), ('A-3')")
	plain, err := db.DB()
	if err != nil {
		panic(err)
	}
	settled := []string{}
	ctx := context.Background()
	say := func(name string, n int64, err error) {
		if err != nil {
			fmt.Printf("%s: an error\n", name)
			return
		}
		fmt.Printf("%s: %d of 3\n", name, n)
	}
	sql := func(name, query string, args []any, err error) {
		var n int64
		if err == nil {
			err = plain.QueryRow(query, args...).Scan(&n)
		}
		say(name, n, err)
	}

	var n int64
	err = db.Table("payments").Where("id NOT IN ?", settled).Count(&n).Error
	say("gorm Where(id NOT IN ?)", n, err)
	err = db.Table("payments").Not(map[string]any{"id": settled}).Count(&n).Error
	say("gorm Not", n, err)
	own := bun.NewDB(plain, sqlitedialect.New())
	count, err := own.NewSelect().Table("payments").Where("id NOT IN (?)", bun.In(settled)).Count(ctx)
	say("bun In", int64(count), err)
	count, err = own.NewSelect().Table("payments").Where("id NOT IN (?)", bun.List(settled)).Count(ctx)
	say("bun List", int64(count), err)
	q, args, err := squirrel.Select("count(*)").From("payments").Where(squirrel.NotEq{"id": settled}).ToSql()
	sql("squirrel NotEq", q, args, err)
	q, args, err = builder.Select("count(*)").From("payments").Where(builder.NotIn("id", settled)).ToSQL()
	sql("xorm builder NotIn", q, args, err)
	q, args, err = goqu.From("payments").Select(goqu.COUNT("*")).Where(goqu.C("id").NotIn(settled)).ToSQL()
	sql("goqu NotIn", q, args, err)
	q, args, err = sqlx.In("select count(*) from payments where id not in (?)", settled)
	sql("sqlx In", q, args, err)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
gorm Where(id NOT IN ?): 0 of 3
gorm Not: 3 of 3
bun In: 0 of 3
bun List: 0 of 3
squirrel NotEq: 3 of 3
xorm builder NotIn: 3 of 3
goqu NotIn: 3 of 3
sqlx In: an error
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
