#!/usr/bin/env bash
# In expr a string's length is in characters, but a slice of it is cut in bytes.
# Ran on 2026-11-29: expr v1.17.8.
# Guess: `s[:len(s)] == s` holds for every string, because one unit serves for all of them.
# Seen:  len counts characters; slices and indexOf count bytes. So `s[:len(s)]` loses the end of "Nguyễn", and can cut a
#        letter in two: what is left is not valid UTF-8, and a JSON encoder then replaces it.
# Why:   len uses utf8.RuneCountInString (builtin), a slice is Go's own slice of the string.
# So:    a rule or message template that shortens a provider's text by len() is right for English only.
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

func main() {
	env := map[string]any{"s": "Thẻ hết hạn"} // "card expired", 11 characters, 17 bytes
	for _, text := range []string{
		`len(s)`,
		`s[:len(s)] == s`,
		`s[:len(s)]`,
		`len(s[:len(s)])`,
		`s[:3]`,
		`indexOf(s, "hạn")`,
		`s[indexOf(s, "hạn"):]`,
		`indexOf(s, "hạn") + 3 == len(s)`,
	} {
		v, err := expr.Eval(text, env)
		fmt.Printf("%-32s %q %v\n", text, fmt.Sprint(v), err)
	}
}
GO
cat >expected.txt <<'TXT'
len(s)                           "11" <nil>
s[:len(s)] == s                  "false" <nil>
s[:len(s)]                       "Thẻ hết" <nil>
len(s[:len(s)])                  "7" <nil>
s[:3]                            "Th\xe1" <nil>
indexOf(s, "hạn")                "12" <nil>
s[indexOf(s, "hạn"):]            "hạn" <nil>
indexOf(s, "hạn") + 3 == len(s)  "false" <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
