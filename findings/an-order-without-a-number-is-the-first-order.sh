#!/usr/bin/env bash
# A webhook without an order number marks the first order of the shop as paid.
# Ran on 2026-11-30: gorm v1.31.2, xorm v1.4.3 beside bun v1.3.0, on glebarez/sqlite v1.11.0, Go 1.26.
# Guess: looking an order up by an empty number finds none.
# Seen:  gorm's First(&order, number) with an empty text, its Where with a struct, and xorm's Get with a struct give the first order of the table, without an error; so does gorm's Delete with a struct and a number beside it: it deletes by the other condition only. gorm's Where("number = ?") and bun find none.
# Why:   an empty text or a zero is `not given` in these forms, and a condition that is not given is left out.
# So:    one empty field in a provider's notice is another customer's payment. Refuse empty keys before the query, and write conditions as text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get gorm.io/gorm@v1.31.2 github.com/glebarez/sqlite@v1.11.0 xorm.io/xorm@v1.4.3 github.com/uptrace/bun@v1.3.0 github.com/uptrace/bun/dialect/sqlitedialect@v1.3.0 2>&1 | grep -E 'gorm.io/gorm|github.com/glebarez/sqlite|xorm.io/xorm|github.com/uptrace/bun|github.com/uptrace/bun/dialect/sqlitedialect' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/glebarez/sqlite"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"xorm.io/xorm"
	"xorm.io/xorm/core"
)

type order struct {
	ID     int64 `xorm:"'id'"`
	Number string
	Shop   string
}

func (order) TableName() string { return "orders" }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	db, err := gorm.Open(sqlite.Open("file:probe?mode=memory&cache=shared"), &gorm.Config{Logger: logger.Discard})
	check(err)
	plain, err := db.DB()
	check(err)
	check(db.AutoMigrate(&order{}))
	fill := func() {
		db.Exec("delete from orders")
		check(db.Create(&[]order{{1, "A-1", "north"}, {2, "A-2", "north"}, {3, "A-3", "south"}}).Error)
	}
	fill()
	number := "" // what the notice holds

	say := func(name string, o order, found bool) {
		if !found {
			fmt.Printf("%s: none\n", name)
			return
		}
		fmt.Printf("%s: order %s\n", name, o.Number)
	}
	var o order
	r := db.First(&o, number)
	say("gorm First(&o, number)", o, r.Error == nil)
	o = order{}
	r = db.Where(&order{Number: number}).First(&o)
	say("gorm Where(&order{Number: number})", o, r.Error == nil)
	o = order{}
	r = db.Where("number = ?", number).First(&o)
	say("gorm Where(number = ?)", o, r.Error == nil)
	engine, err := xorm.NewEngineWithDB("sqlite3", ":memory:", core.FromDB(plain))
	check(err)
	o = order{Number: number}
	found, err := engine.Get(&o)
	check(err)
	say("xorm Get(&order{Number: number})", o, found)
	o = order{}
	err = bun.NewDB(plain, sqlitedialect.New()).NewSelect().TableExpr("orders").Column("id", "number", "shop").Where("number = ?", number).Scan(context.Background(), &o.ID, &o.Number, &o.Shop)
	say("bun Where(number = ?)", o, err == nil)
	r = db.Where(&order{Number: number, Shop: "north"}).Delete(&order{})
	check(r.Error)
	fmt.Printf("gorm Where(&order{Number: number, Shop: north}).Delete: %d orders deleted\n", r.RowsAffected)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
gorm First(&o, number): order A-1
gorm Where(&order{Number: number}): order A-1
gorm Where(number = ?): none
xorm Get(&order{Number: number}): order A-1
bun Where(number = ?): none
gorm Where(&order{Number: number, Shop: north}).Delete: 2 orders deleted
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
