#!/usr/bin/env bash
# An unquoted response code with leading zeros survives in one YAML library and is read as octal in the other.
# Ran on 2026-11-29: yaml.v3 v3.0.1, goccy/go-yaml v1.19.2.
# Guess: a field of type string gets the text as written, so `code: 0010` is "0010" in both.
# Seen:  goccy gives "8" for 0010 and "31" for 0x1F, but leaves 0099 alone (no octal digit); yaml.v3 gives the text for all.
#        Into `any`, yaml.v3 makes 0010 the int 8 and 0099 the float 99; goccy makes 0099 text.
# Why:   goccy turns the scalar into a number first and formats that for a string field; yaml.v3 keeps the source text.
# So:    moving a table of provider codes to the other library changes some codes and not others, without an error:
#        decline 0010 becomes 8, and falls through to "unknown code". Quote every code.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get gopkg.in/yaml.v3@v3.0.1 github.com/goccy/go-yaml@v1.19.2 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"fmt"

	goccy "github.com/goccy/go-yaml"
	yaml3 "gopkg.in/yaml.v3"
)

func main() {
	for _, text := range []string{"0010", "0051", "0099", "0x1F", "1_000", "0.10", "+84"} {
		var y, g struct{ Code string }
		var ya, ga struct{ Code any }
		doc := []byte("code: " + text)
		for _, err := range []error{yaml3.Unmarshal(doc, &y), goccy.Unmarshal(doc, &g), yaml3.Unmarshal(doc, &ya), goccy.Unmarshal(doc, &ga)} {
			if err != nil {
				panic(err)
			}
		}
		fmt.Printf("%-6s string field: yaml.v3 %-8q goccy %-8q any: yaml.v3 %v (%T), goccy %v (%T)\n",
			text, y.Code, g.Code, ya.Code, ya.Code, ga.Code, ga.Code)
	}
}
GO
cat >expected.txt <<'TXT'
0010   string field: yaml.v3 "0010"   goccy "8"      any: yaml.v3 8 (int), goccy 8 (uint64)
0051   string field: yaml.v3 "0051"   goccy "41"     any: yaml.v3 41 (int), goccy 41 (uint64)
0099   string field: yaml.v3 "0099"   goccy "0099"   any: yaml.v3 99 (float64), goccy 0099 (string)
0x1F   string field: yaml.v3 "0x1F"   goccy "31"     any: yaml.v3 31 (int), goccy 31 (uint64)
1_000  string field: yaml.v3 "1_000"  goccy "1000"   any: yaml.v3 1000 (int), goccy 1000 (uint64)
0.10   string field: yaml.v3 "0.10"   goccy "0.1"    any: yaml.v3 0.1 (float64), goccy 0.1 (float64)
+84    string field: yaml.v3 "+84"    goccy "84"     any: yaml.v3 84 (int), goccy 84 (uint64)
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
