#!/usr/bin/env bash
# A fingerprint of a payment by hashstructure leaves its amount out when the amount has a type of its own.
# Ran on 2026-11-30: hashstructure/v2 v2.0.2 and gohugoio/hashstructure v1.1.0 on shopspring/decimal v1.4.0, go-money v1.0.15 and big.Int; Go 1.26.
# Guess: two requests that differ in their amount alone have two hashes, whatever type the amount has.
# Seen:  with decimal.Decimal, *big.Int or money.Money the hashes are equal for every amount; only plain numbers and texts count.
# Why:   unexported fields are skipped, and these types have no others. time.Time is treated apart, they are not.
# So:    an idempotency check by hash ("same key, same request?") lets another amount pass as the same request. Hash the text that is sent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/mitchellh/hashstructure/v2@v2.0.2 github.com/gohugoio/hashstructure@v1.1.0 github.com/shopspring/decimal@v1.4.0 github.com/Rhymond/go-money@v1.0.15 2>&1 | grep -E 'github.com/mitchellh/hashstructure/v2|github.com/gohugoio/hashstructure|github.com/shopspring/decimal|github.com/Rhymond/go-money' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math/big"

	"github.com/Rhymond/go-money"
	hugo "github.com/gohugoio/hashstructure"
	"github.com/mitchellh/hashstructure/v2"
	"github.com/shopspring/decimal"
)

type payment struct {
	Order  string
	Amount any
}

func main() {
	for _, pair := range []struct {
		name string
		a, b any
	}{
		{"int64", int64(100), int64(999)},
		{"text", "100", "999"},
		{"decimal.Decimal", decimal.RequireFromString("100"), decimal.RequireFromString("999")},
		{"*big.Int", big.NewInt(100), big.NewInt(999)},
		{"*money.Money", money.New(100, "USD"), money.New(999, "VND")},
	} {
		one, err1 := hashstructure.Hash(payment{"A-1", pair.a}, hashstructure.FormatV2, nil)
		two, err2 := hashstructure.Hash(payment{"A-1", pair.b}, hashstructure.FormatV2, nil)
		three, err3 := hugo.Hash(payment{"A-1", pair.a}, nil)
		four, err4 := hugo.Hash(payment{"A-1", pair.b}, nil)
		fmt.Printf("100 and 999 as %-16s one hash in hashstructure: %t, in its fork: %t; errors: %v\n", pair.name, one == two, three == four, []error{err1, err2, err3, err4})
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
100 and 999 as int64            one hash in hashstructure: false, in its fork: false; errors: [<nil> <nil> <nil> <nil>]
100 and 999 as text             one hash in hashstructure: false, in its fork: false; errors: [<nil> <nil> <nil> <nil>]
100 and 999 as decimal.Decimal  one hash in hashstructure: true, in its fork: true; errors: [<nil> <nil> <nil> <nil>]
100 and 999 as *big.Int         one hash in hashstructure: true, in its fork: true; errors: [<nil> <nil> <nil> <nil>]
100 and 999 as *money.Money     one hash in hashstructure: true, in its fork: true; errors: [<nil> <nil> <nil> <nil>]
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
