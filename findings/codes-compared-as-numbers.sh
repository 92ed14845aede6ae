#!/usr/bin/env bash
# gval compares two texts as numbers when both can be read as floats.
# Ran on 2026-11-30: gval v1.2.4; Go 1.26.
# Guess: `code == "10"` of two texts is false for "0010".
# Seen:  it is true, and so are two order ids of 17 digits that differ in the last one; the text "NaN" does not equal itself.
# Why:   each operator tries float64 first, also for ==, and falls back to texts only when one of them is no number.
# So:    a rule for one provider code also holds for another ("0010", "10", "1e1"), and one order's notice matches the neighbour's.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/PaesslerAG/gval@v1.2.4 2>&1 | grep -E 'github.com/PaesslerAG/gval' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/PaesslerAG/gval"
)

func main() {
	facts := map[string]any{"code": "0010", "order": "20261130000000123", "name": "NaN"}
	for _, text := range []string{`code == "10"`, `code == "1e1"`, `code == "0010"`, `order == "20261130000000124"`, `order == "A"`, `name == "NaN"`} {
		v, err := gval.Evaluate(text, facts)
		fmt.Printf("%-30s %v %v\n", text, v, err)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
code == "10"                   true <nil>
code == "1e1"                  true <nil>
code == "0010"                 true <nil>
order == "20261130000000124"   true <nil>
order == "A"                   false <nil>
name == "NaN"                  false <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
