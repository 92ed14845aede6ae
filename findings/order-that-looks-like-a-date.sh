#!/usr/bin/env bash
# In govaluate a text in quotes that looks like a date is a number, so it equals no text.
# Ran on 2026-11-30: Knetic/govaluate v3.0.0 and casbin/govaluate v1.10.0; Go 1.26.
# Guess: `batch == '2026-11-30'` is true when batch is the text "2026-11-30"; 'in' finds it in a list.
# Seen:  both are false, without an error, and != is true. '2027-01' and 'B-2026-11-30' are texts as expected.
# Why:   literals are tried against a list of date layouts and become seconds since 1970, but parameters stay texts.
# So:    a rule for one settlement day never holds, and a deny rule for it neither.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/Knetic/govaluate@v3.0.0+incompatible github.com/casbin/govaluate@v1.10.0 2>&1 | grep -E 'github.com/Knetic/govaluate|github.com/casbin/govaluate' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	maintained "github.com/casbin/govaluate"
	original "github.com/Knetic/govaluate"
)

func main() {
	facts := map[string]any{"batch": "2026-11-30", "expiry": "2027-01", "tag": "B-2026-11-30"}
	for _, text := range []string{`batch == '2026-11-30'`, `batch != '2026-11-30'`, `batch in ('2026-11-30', 'other')`, `expiry == '2027-01'`, `tag == 'B-2026-11-30'`} {
		a, err := original.NewEvaluableExpression(text)
		if err != nil {
			panic(err)
		}
		v, err := a.Evaluate(facts)
		b, err2 := maintained.NewEvaluableExpression(text)
		if err2 != nil {
			panic(err2)
		}
		w, err2 := b.Evaluate(facts)
		fmt.Printf("%-36s %v %v | casbin's: %v %v\n", text, v, err, w, err2)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
batch == '2026-11-30'                false <nil> | casbin's: false <nil>
batch != '2026-11-30'                true <nil> | casbin's: true <nil>
batch in ('2026-11-30', 'other')     false <nil> | casbin's: false <nil>
expiry == '2027-01'                  true <nil> | casbin's: true <nil>
tag == 'B-2026-11-30'                true <nil> | casbin's: true <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
