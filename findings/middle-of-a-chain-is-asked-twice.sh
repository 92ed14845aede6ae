#!/usr/bin/env bash
# expr's `a < x < b` evaluates x twice.
# Ran on 2026-11-30: expr v1.17.8; Go 1.26.
# Guess: a chained comparison asks for its middle once, as in Python, which it looks like.
# Seen:  a function in the middle is called twice, and the two halves may see two values: `1 < next() < 2` is false though each value alone is fine.
# Why:   the parser makes `a < x && x < b` of it, with the same part on both sides; a chain within a chain doubles again.
# So:    a limit such as `0 < spent_today(merchant) < 5000000` asks the store twice, and a counter with an effect counts double. Use `let`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/expr-lang/expr@v1.17.8 2>&1 | grep -E 'github.com/expr-lang/expr' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/expr-lang/expr"
)

func main() {
	calls := 0
	env := map[string]any{"next": func() int { calls++; return calls }}
	for _, text := range []string{`0 < next() < 10`, `0 < next() < 2`, `let n = next(); 0 < n < 2`, `0 < next() && next() < 2`} {
		calls = 0
		v, err := expr.Eval(text, env)
		fmt.Printf("%-28s %v %v, calls: %d\n", text, v, err, calls)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
0 < next() < 10              true <nil>, calls: 2
0 < next() < 2               false <nil>, calls: 2
let n = next(); 0 < n < 2    true <nil>, calls: 1
0 < next() && next() < 2     false <nil>, calls: 2
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
