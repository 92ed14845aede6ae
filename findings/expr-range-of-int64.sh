#!/usr/bin/env bash
# A rule that asks whether an int64 amount lies in a range stops with an error once the range is wide.
# Ran on 2026-11-29: expr v1.17.8.
# Guess: `amount in 1..5000000` is two comparisons, for an int field and for an int64 field alike.
# Seen:  it is two comparisons for `int` only. For int64 and uint64 every evaluation builds the whole range as a
#        list; past one million numbers it fails with "memory budget exceeded". It compiles without a word.
# Why:   the optimizer's rewrite of `in a..b` looks for exactly the kind int (optimizer/in_range.go).
# So:    a rule on minor units works in the tests (small amounts, narrow range) and fails in production.
#        Write `amount >= 1 and amount <= 5000000`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/expr-lang/expr@v1.17.8 2>&1 | tail -n 1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
)

type Payment struct {
	Int    int
	Int64  int64
	Uint64 uint64
}

func main() {
	p := Payment{1_500_000, 1_500_000, 1_500_000}
	for _, rule := range []string{
		"Int in 1..5000000",
		"Int64 in 1..5000000",
		"Uint64 in 1..5000000",
		"Int64 >= 1 and Int64 <= 5000000",
	} {
		program, err := expr.Compile(rule, expr.Env(Payment{}), expr.AsBool())
		if err != nil {
			panic(err)
		}
		v, err := expr.Run(program, p)
		text := "no error"
		if err != nil {
			text = strings.SplitN(err.Error(), "\n", 2)[0]
		}
		fmt.Printf("%-32s %v, %s\n", rule, v, text)
	}
}
GO
cat >expected.txt <<'TXT'
Int in 1..5000000                true, no error
Int64 in 1..5000000              <nil>, memory budget exceeded (1:11)
Uint64 in 1..5000000             <nil>, memory budget exceeded (1:12)
Int64 >= 1 and Int64 <= 5000000  true, no error
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
