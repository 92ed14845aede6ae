#!/usr/bin/env bash
# From a million on, an amount in a float64 leaves a Go program as 1.5e+07, but only in XML, forms and some CSV.
# Ran on 2026-11-30: encoding/xml of Go 1.26, go-querystring v1.2.0, ajg/form v1.9.0, csvutil v1.10.0 beside encoding/json, go-playground/form v4.2.1 and gocsv 2024-05-20.
# Guess: an encoder writes 15000000 as its digits, as encoding/json does up to 1e21.
# Seen:  encoding/xml writes <amount>1.5e+07</amount>, two of three form encoders amount=1.5e%2B07, csvutil 1.5E+07; 150000 is written in digits by all.
# Why:   they use the shortest format, which turns to exponents at 1e6 where the digits are fewer; the others ask for none.
# So:    tests with 100.00 dollars pass, and the first real amount in dong or rupiah is refused, or read as 1.5 by a reader that stops at the e. XML Schema's decimal allows no exponent. Use integers or a decimal type.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/google/go-querystring@v1.2.0 github.com/ajg/form@v1.9.0 github.com/jszwec/csvutil@v1.10.0 github.com/go-playground/form/v4@v4.2.1 github.com/gocarina/gocsv@v0.0.0-20240520201108-78e41c74b4b1 2>&1 | grep -E 'github.com/google/go-querystring|github.com/ajg/form|github.com/jszwec/csvutil|github.com/go-playground/form/v4|github.com/gocarina/gocsv' || true
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"

	ajg "github.com/ajg/form"
	playground "github.com/go-playground/form/v4"
	"github.com/gocarina/gocsv"
	"github.com/google/go-querystring/query"
	"github.com/jszwec/csvutil"
)

type payment struct {
	Amount float64 `json:"amount" xml:"amount" url:"amount" form:"amount" csv:"amount"`
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	for _, amount := range []float64{150000, 15000000} {
		p := payment{amount}
		form := func(v url.Values, err error) string { return must(v, err).Encode() }
		row := func(b []byte, err error) string { return strings.Split(string(must(b, err)), "\n")[1] }
		fmt.Printf("encoding/json       %s\n", must(json.Marshal(p)))
		fmt.Printf("encoding/xml        %s\n", must(xml.Marshal(p)))
		fmt.Printf("go-querystring      %s\n", form(query.Values(p)))
		fmt.Printf("ajg/form            %s\n", form(ajg.EncodeToValues(p)))
		fmt.Printf("go-playground/form  %s\n", form(playground.NewEncoder().Encode(p)))
		fmt.Printf("csvutil             %s\n", row(csvutil.Marshal([]payment{p})))
		fmt.Printf("gocsv               %s\n", row(gocsv.MarshalBytes([]payment{p})))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
encoding/json       {"amount":150000}
encoding/xml        <payment><amount>150000</amount></payment>
go-querystring      amount=150000
ajg/form            amount=150000
go-playground/form  amount=150000
csvutil             150000
gocsv               150000
encoding/json       {"amount":15000000}
encoding/xml        <payment><amount>1.5e+07</amount></payment>
go-querystring      amount=1.5e%2B07
ajg/form            amount=1.5e%2B07
go-playground/form  amount=15000000
csvutil             1.5E+07
gocsv               15000000
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
