#!/usr/bin/env bash
# One amount, written in three ways that JSON allows, is three amounts.
# Ran on 2026-11-30: jsoniter v1.1.12, fastjson v1.6.10, go-simplejson v0.5.1, gjson v1.20.3, jsonparser v1.6.1, Go 1.26.
# Guess: an integer getter gives 1500000 for 1500000, 1500000.00 and 1.5e6, or an error for the last two.
# Seen:  1.5e6 is 1 for jsoniter, whose error must be asked for by a second call, and 0 for fastjson and simplejson's MustInt64; 1500000.00 is 0 for these two; the text 1,500,000 is 1 for jsoniter, with no error. gjson gives 1500000 for all three numbers, jsonparser an error.
# Why:   the getters read digits up to the first other character, or return the zero value where a number is no integer text.
# So:    which spelling a provider uses may change with its serializer, and an amount of 0 or 1 passes most checks. Read amounts as json.Number or a decimal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/json-iterator/go@v1.1.12 github.com/valyala/fastjson@v1.6.10 github.com/bitly/go-simplejson@v0.5.1 github.com/tidwall/gjson@v1.20.3 github.com/buger/jsonparser@v1.6.1 2>&1 | grep -E 'github.com/json-iterator/go|github.com/valyala/fastjson|github.com/bitly/go-simplejson|github.com/tidwall/gjson|github.com/buger/jsonparser' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/bitly/go-simplejson"
	"github.com/buger/jsonparser"
	jsoniter "github.com/json-iterator/go"
	"github.com/tidwall/gjson"
	"github.com/valyala/fastjson"
)

func main() {
	for _, amount := range []string{`1500000`, `1500000.00`, `1.5e6`, `"1500000"`, `"1,500,000"`} {
		body := []byte(`{"amount":` + amount + `}`)
		iter := jsoniter.Get(body, "amount")
		simple, err := simplejson.NewJson(body)
		if err != nil {
			panic(err)
		}
		own, err := jsonparser.GetInt(body, "amount")
		fmt.Printf("%-12s jsoniter %d (error kept aside %t), fastjson %d, simplejson %d, gjson %d, jsonparser %d (error %t)\n", amount, iter.ToInt64(), iter.LastError() != nil,
			fastjson.GetInt(body, "amount"), simple.Get("amount").MustInt64(), gjson.GetBytes(body, "amount").Int(), own, err != nil)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
1500000      jsoniter 1500000 (error kept aside false), fastjson 1500000, simplejson 1500000, gjson 1500000, jsonparser 1500000 (error false)
1500000.00   jsoniter 1500000 (error kept aside true), fastjson 0, simplejson 0, gjson 1500000, jsonparser 0 (error true)
1.5e6        jsoniter 1 (error kept aside true), fastjson 0, simplejson 0, gjson 1500000, jsonparser 0 (error true)
"1500000"    jsoniter 1500000 (error kept aside false), fastjson 0, simplejson 0, gjson 1500000, jsonparser 0 (error true)
"1,500,000"  jsoniter 1 (error kept aside false), fastjson 0, simplejson 0, gjson 0, jsonparser 0 (error true)
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
