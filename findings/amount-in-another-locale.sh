#!/usr/bin/env bash
# Reading an amount in a locale whose thousands separator is a point: "12.50" becomes 1250.
# Ran on 2026-11-29: bojanz/currency v1.5.1.
# Guess: Formatter.Parse checks that groups have three digits, so "12.50" in German or Vietnamese is an error.
# Seen:  every separator is deleted wherever it stands: "12.50" EUR in de is 1250 EUR, "1.2.3" is 123, and "12,50" USD in
#        en is 1250 USD. There is no error.
# Why:   Parse replaces the grouping separator by nothing before it reads a number.
# So:    a refund form whose browser sends "12.50" (any <input type=number> does) to a server that parses in the
#        shopper's locale pays back a hundred times too much. Parse machine input with NewAmount.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/bojanz/currency@v1.5.1 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/bojanz/currency"
)

func main() {
	for _, c := range []struct{ locale, code, text string }{
		{"de", "EUR", "12,50"}, {"de", "EUR", "12.50"}, {"de", "EUR", "1.2.3"},
		{"en", "USD", "12.50"}, {"en", "USD", "12,50"},
		{"vi", "VND", "120.000"}, {"vi", "VND", "120.00"},
	} {
		f := currency.NewFormatter(currency.NewLocale(c.locale))
		amount, err := f.Parse(c.text, c.code)
		fmt.Printf("%s %-8q is %s, error %v\n", c.locale, c.text, amount, err)
	}
}
GO
cat >expected.txt <<'TXT'
de "12,50"  is 12.50 EUR, error <nil>
de "12.50"  is 1250 EUR, error <nil>
de "1.2.3"  is 123 EUR, error <nil>
en "12.50"  is 12.50 USD, error <nil>
en "12,50"  is 1250 USD, error <nil>
vi "120.000" is 120000 VND, error <nil>
vi "120.00" is 12000 VND, error <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
