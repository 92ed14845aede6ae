#!/usr/bin/env bash
# A deep copy of a payment has every field but its amount.
# Ran on 2026-11-30: mohae/deepcopy 2017-09-29, barkimedes/go-deepcopy 2022-05-14, tiendc/go-deepcopy v1.7.2 beside copier v0.4.0, brunoga/deep v1.3.1, huandu/go-clone v1.7.3; decimal v1.6.0, go-money v1.0.15, Go 1.26.
# Guess: a library for deep copies copies the amount, or fails on a type that it cannot copy.
# Seen:  three of six give an amount of 0, without an error: decimal.Decimal in all three, *big.Int and *money.Money in two of them, time.Time in one. The order's id is there.
# Why:   they copy exported fields only, and these types have none.
# So:    a request that is copied before it is sent again asks for 0. Test the copy with the types that are in use, or copy structs by assignment.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/mohae/deepcopy@v0.0.0-20170929034955-c48cc78d4826 github.com/barkimedes/go-deepcopy@v0.0.0-20220514131651-17c30cfc62df github.com/tiendc/go-deepcopy@v1.7.2 github.com/jinzhu/copier@v0.4.0 github.com/brunoga/deep@v1.3.1 github.com/huandu/go-clone@v1.7.3 github.com/shopspring/decimal@v1.6.0 github.com/Rhymond/go-money@v1.0.15 2>&1 | grep -E 'github.com/mohae/deepcopy|github.com/barkimedes/go-deepcopy|github.com/tiendc/go-deepcopy|github.com/jinzhu/copier|github.com/brunoga/deep|github.com/huandu/go-clone|github.com/shopspring/decimal|github.com/Rhymond/go-money' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math/big"
	"time"

	"github.com/Rhymond/go-money"
	barkimedes "github.com/barkimedes/go-deepcopy"
	"github.com/brunoga/deep"
	"github.com/huandu/go-clone"
	"github.com/jinzhu/copier"
	mohae "github.com/mohae/deepcopy"
	"github.com/shopspring/decimal"
	tiendc "github.com/tiendc/go-deepcopy"
)

type payment struct {
	Order   string
	Decimal decimal.Decimal
	Big     *big.Int
	Money   *money.Money
	At      time.Time
}

func main() {
	p := payment{"A-17", decimal.RequireFromString("19.99"), big.NewInt(1999), money.New(1999, money.USD), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	show := func(name string, q payment, err error) {
		fmt.Printf("%-10s order %s, decimal %s, big %s, money %d, date %s, error %v\n", name, q.Order, q.Decimal, q.Big, q.Money.Amount(), q.At.Format(time.DateOnly), err)
	}
	show("mohae", mohae.Copy(p).(payment), nil)
	v, err := barkimedes.Anything(p)
	show("barkimedes", v.(payment), err)
	var t payment
	err = tiendc.Copy(&t, p)
	show("tiendc", t, err)
	var c payment
	err = copier.CopyWithOption(&c, &p, copier.Option{DeepCopy: true})
	show("copier", c, err)
	d, err := deep.Copy(p)
	show("brunoga", d, err)
	show("huandu", clone.Clone(p).(payment), nil)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
mohae      order A-17, decimal 0, big 0, money 0, date 2026-11-30, error <nil>
barkimedes order A-17, decimal 0, big 0, money 0, date 0001-01-01, error <nil>
tiendc     order A-17, decimal 0, big 1999, money 1999, date 2026-11-30, error <nil>
copier     order A-17, decimal 19.99, big 1999, money 1999, date 2026-11-30, error <nil>
brunoga    order A-17, decimal 19.99, big 1999, money 1999, date 2026-11-30, error <nil>
huandu     order A-17, decimal 19.99, big 1999, money 1999, date 2026-11-30, error <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
