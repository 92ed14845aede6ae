#!/usr/bin/env bash
# expr compares a large uint64 as a negative number.
# Ran on 2026-11-29: expr v1.17.8.
# Guess: `id > 0` is true for every uint64 but 0, as in Go; or the compiler refuses to mix signed and unsigned.
# Seen:  from 2^63 on, `id > 0` is false, `id < 0` is true, and `id + 0` prints a negative number; `id == other` between
#        two uint64 stays right. The number itself can't be written in a rule: a literal stops at 2^63-1.
# Why:   every arithmetic and ordering operator converts both sides to int first (vm/runtime/helpers[generated].go).
# So:    hashed or snowflake-like ids with the top bit set go down the wrong branch of a rule. Give ids to rules as text.
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

	"github.com/expr-lang/expr"
)

type Env struct{ ID, Other uint64 }

func main() {
	env := Env{ID: 1<<63 + 5, Other: 1 << 62}
	for _, text := range []string{"ID", "ID > 0", "ID < 0", "ID > Other", "ID + 0", "ID % 10", "ID == Other", "max(ID, Other)"} {
		program, err := expr.Compile(text, expr.Env(Env{}))
		if err != nil {
			fmt.Printf("%-16s does not compile\n", text)
			continue
		}
		v, err := expr.Run(program, env)
		fmt.Printf("%-16s %v (%T) %v\n", text, v, v, err)
	}
}
GO
cat >expected.txt <<'TXT'
ID               9223372036854775813 (uint64) <nil>
ID > 0           false (bool) <nil>
ID < 0           true (bool) <nil>
ID > Other       false (bool) <nil>
ID + 0           -9223372036854775803 (int) <nil>
ID % 10          -3 (int) <nil>
ID == Other      false (bool) <nil>
max(ID, Other)   4611686018427387904 (uint64) <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
