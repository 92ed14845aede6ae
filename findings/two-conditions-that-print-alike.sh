#!/usr/bin/env bash
# Two conditions that decide otherwise are one text when the parser prints them.
# Ran on 2026-12-01: expr-lang/expr v1.17.8, Go 1.26.
# Guess: the String of a parsed condition can be parsed again and means the same, so it can be the key of a cache or of a comparison.
# Seen:  (code + status)[0:2] is printed as code + status[0:2]: 00 and 00PA; (first ? known : more).a as first ? known : more.a: a text and a map. Nothing fails when it is parsed again. Sums, products and not keep their brackets.
# Why:   slices and members print what they stand behind without brackets, whatever it is.
# So:    a table of rules that looks for duplicates, caches compiled conditions by their text, or writes them back after an edit, takes one rule for another. Compare the source, or the nodes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/expr-lang/expr@v1.17.8 2>&1 | grep -F 'added github.com/expr-lang/expr v' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/parser"
)

func main() {
	env := map[string]any{"code": "00", "status": "PAID", "amount": 3, "fee": 4, "known": map[string]any{"a": "x"}, "more": map[string]any{"a": "y"}, "first": true}
	for _, source := range []string{
		`(code + status)[0:2]`, `code + status[0:2]`,
		`(first ? known : more).a`, `first ? known : more.a`,
		`(amount + fee) * 2`, `amount + fee * 2`,
		`not (first and code == "01")`,
	} {
		tree, err := parser.Parse(source)
		if err != nil {
			panic(err)
		}
		printed := tree.Node.String()
		was, err := expr.Eval(source, env)
		if err != nil {
			panic(err)
		}
		is, err := expr.Eval(printed, env)
		fmt.Printf("%-30s %-8v printed as %-28s %v %v\n", source, fmt.Sprint(was), printed, is, err)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
(code + status)[0:2]           00       printed as code + status[0:2]           00PA <nil>
code + status[0:2]             00PA     printed as code + status[0:2]           00PA <nil>
(first ? known : more).a       x        printed as first ? known : more.a       map[a:x] <nil>
first ? known : more.a         map[a:x] printed as first ? known : more.a       map[a:x] <nil>
(amount + fee) * 2             14       printed as (amount + fee) * 2           14 <nil>
amount + fee * 2               11       printed as amount + fee * 2             11 <nil>
not (first and code == "01")   true     printed as not (first and code == "01") true <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
