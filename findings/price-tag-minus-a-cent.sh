#!/usr/bin/env bash
# go-money's NewFromFloat makes 19.98 of 19.99.
# Ran on 2026-11-30: go-money v1.0.15; Go 1.26.
# Guess: a float with two decimals becomes that many cents; "rounding trailing decimals down" speaks of a third decimal.
# Seen:  19.99 is 1998 cents. The program below counts how many prices from 0.00 to 100.00 lose a cent.
# Why:   the float is multiplied by 100 and cut, not rounded: 19.99 * 100 is 1998.9999999999998.
# So:    an amount from JSON as float64 is charged a cent short, and the provider's notice then names another amount. Take texts or minor units.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/Rhymond/go-money@v1.0.15 2>&1 | grep -E 'github.com/Rhymond/go-money' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/Rhymond/go-money"
)

func main() {
	for _, price := range []float64{4.35, 19.99, 136.98, 20.01} {
		fmt.Println(price, "USD is", money.NewFromFloat(price, "USD").Amount(), "cents")
	}
	lost := 0
	for cents := int64(0); cents <= 10000; cents++ {
		var price float64
		fmt.Sscan(fmt.Sprintf("%d.%02d", cents/100, cents%100), &price)
		if money.NewFromFloat(price, "USD").Amount() != cents {
			lost++
		}
	}
	fmt.Println("of 10001 prices, a cent is lost in", lost)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
4.35 USD is 434 cents
19.99 USD is 1998 cents
136.98 USD is 13697 cents
20.01 USD is 2001 cents
of 10001 prices, a cent is lost in 573
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
