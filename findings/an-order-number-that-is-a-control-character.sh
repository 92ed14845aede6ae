#!/usr/bin/env bash
# Copied from one struct to another, the order 17 is the character 17, and an amount of 19.99 is 0.
# Ran on 2026-12-01: jinzhu/copier v0.4.0, shopspring/decimal v1.6.0, Go 1.26.
# Guess: a field that cannot be copied into one of the same name and another type is an error, or the number as a text.
# Seen:  Copy returns nil. int64 17 in a string field is "\x11", and 1764496800 is "\uFFFD"; the text "19" in an int64 field is 0, and a decimal 19.99 in a float64 or int64 field is 0. 3000000000 in an int32 field is -1294967296, a float64 of 19.99 in an int64 field is 19.
# Why:   what Go's conversion T(x) takes is converted, and for an integer and a string that means the character of that number; what it does not take is left out.
# So:    a field of an API that changes from a number to a text, or from a float to a decimal, compiles, and each payment's order number becomes one character or its amount 0, without an error in any call. Compare the structs' types in a test, or convert by hand.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/jinzhu/copier@v0.4.0 github.com/shopspring/decimal@v1.6.0 2>&1 | grep -E 'added github.com/(jinzhu/copier|shopspring/decimal) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/jinzhu/copier"
	"github.com/shopspring/decimal"
)

type field[T any] struct{ Value T }

func try[To, From any](value From) {
	var to field[To]
	err := copier.Copy(&to, field[From]{value})
	fmt.Printf("%T %v into %T: %+q, error %v\n", value, value, to.Value, fmt.Sprint(to.Value), err)
}

func main() {
	try[string](int64(17))
	try[string](int64(1764496800))
	try[int64]("19")
	try[float64](decimal.RequireFromString("19.99"))
	try[int64](decimal.RequireFromString("19.99"))
	try[int32](int64(3000000000))
	try[int64](19.99)
	try[int64](int32(19))
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
int64 17 into string: "\x11", error <nil>
int64 1764496800 into string: "\ufffd", error <nil>
string 19 into int64: "0", error <nil>
decimal.Decimal 19.99 into float64: "0", error <nil>
decimal.Decimal 19.99 into int64: "0", error <nil>
int64 3000000000 into int32: "-1294967296", error <nil>
float64 19.99 into int64: "19", error <nil>
int32 19 into int64: "19", error <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
