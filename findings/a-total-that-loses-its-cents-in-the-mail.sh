#!/usr/bin/env bash
# A total in a mail, a receipt or a chart of Helm loses its cents: 19.99 and 0.01 are 19.
# Ran on 2026-12-01: sprig v3.3.0 (the functions of Helm's templates), Go 1.26.
# Guess: {{ add 19.99 0.01 }} is 20, or an error, as a function that is for integers says.
# Seen:  it is 19; mul 19.99 100 is 1900, sub 20.50 0.75 is 20, div 1999 100 is 19, max 1.5 1.2 is 1. A text is worse: add "19.99" "1" is 1, "1e3" | int is 0. `add "0100" 1` is 65: a leading zero makes octal digits. `mulf 19.99 100` is 1999.
# Why:   each argument is cast to int64 first, and what cannot be cast is 0.
# So:    a limit of 19.99 * 100 in a chart is 1900 minor units, a fee in a mail lacks its fraction, and nothing fails. Use addf, mulf, subf, or hand over minor units.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/Masterminds/sprig/v3@v3.3.0 2>&1 | grep -E 'added (github.com/Masterminds/sprig/v3) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

func main() {
	for _, t := range []string{"add 19.99 0.01", "mul 19.99 100", "sub 20.50 0.75", "div 1999 100", "max 1.5 1.2", `add "19.99" "1"`, `"1e3" | int`, `"1,500" | int64`, `add "0100" 1`, "addf 19.99 0.01", "mulf 19.99 100"} {
		var out strings.Builder
		err := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse("{{ "+t+" }}")).Execute(&out, nil)
		fmt.Printf("%s: %s, error %v\n", t, out.String(), err)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
add 19.99 0.01: 19, error <nil>
mul 19.99 100: 1900, error <nil>
sub 20.50 0.75: 20, error <nil>
div 1999 100: 19, error <nil>
max 1.5 1.2: 1, error <nil>
add "19.99" "1": 1, error <nil>
"1e3" | int: 0, error <nil>
"1,500" | int64: 0, error <nil>
add "0100" 1: 65, error <nil>
addf 19.99 0.01: 20, error <nil>
mulf 19.99 100: 1999, error <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
