#!/usr/bin/env bash
# A payment of 19.99 is stored and read again without an error, and its amount is nothing.
# Ran on 2026-11-30: go-money v1.0.15, apd v3.2.3, decimal v1.6.0, math/big with mongo-driver v2.10.0 (bson), cbor v2.10.0, shamaton/msgpack v2.4.0, ugorji/codec v1.3.2 (msgpack), yaml.v3 v3.0.1, encoding/json; Go 1.26.
# Guess: an encoder writes an amount of such a type with its digits, or says that it cannot.
# Seen:  go-money's Money and apd's Decimal are 0 after each of the five encoders beside JSON, big.Rat after four, big.Int after three, and shopspring's Decimal after one. None gives an error.
# Why:   fields that are not exported are left out, and each type knows a few interfaces of encoders only.
# So:    a saga's state, a queue's message or a cached quote comes back as free of charge. Store integers or texts, and read each stored type back in a test.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/Rhymond/go-money@v1.0.15 github.com/cockroachdb/apd/v3@v3.2.3 github.com/shopspring/decimal@v1.6.0 go.mongodb.org/mongo-driver/v2@v2.10.0 github.com/fxamacker/cbor/v2@v2.10.0 github.com/shamaton/msgpack/v2@v2.4.0 github.com/ugorji/go/codec@v1.3.2 gopkg.in/yaml.v3@v3.0.1 2>&1 | grep -E 'github.com/Rhymond/go-money|github.com/cockroachdb/apd/v3|github.com/shopspring/decimal|go.mongodb.org/mongo-driver/v2|github.com/fxamacker/cbor/v2|github.com/shamaton/msgpack/v2|github.com/ugorji/go/codec|gopkg.in/yaml.v3' || true
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/Rhymond/go-money"
	"github.com/cockroachdb/apd/v3"
	"github.com/fxamacker/cbor/v2"
	"github.com/shamaton/msgpack/v2"
	"github.com/shopspring/decimal"
	"github.com/ugorji/go/codec"
	"go.mongodb.org/mongo-driver/v2/bson"
	"gopkg.in/yaml.v3"
)

type encoder struct {
	name  string
	write func(any) ([]byte, error)
	read  func([]byte, any) error
}

var handle codec.MsgpackHandle

var encoders = []encoder{
	{"json", json.Marshal, json.Unmarshal},
	{"bson", bson.Marshal, bson.Unmarshal},
	{"cbor", cbor.Marshal, cbor.Unmarshal},
	{"msgpack", msgpack.Marshal, msgpack.Unmarshal},
	{"ugorji", func(v any) (b []byte, err error) { err = codec.NewEncoderBytes(&b, &handle).Encode(v); return b, err }, func(b []byte, v any) error { return codec.NewDecoderBytes(b, &handle).Decode(v) }},
	{"yaml", yaml.Marshal, yaml.Unmarshal},
}

type payment[T any] struct{ Amount T }

func show[T any](name string, amount T, text func(T) string) {
	said := []string{}
	for _, e := range encoders {
		var back payment[T]
		b, err := e.write(&payment[T]{amount})
		if err == nil {
			err = e.read(b, &back)
		}
		if err != nil {
			said = append(said, e.name+" an error")
			continue
		}
		said = append(said, e.name+" "+text(back.Amount))
	}
	fmt.Printf("%s of %s: %s\n", name, text(amount), strings.Join(said, ", "))
}

func main() {
	show("money.Money", money.New(1999, "USD"), func(m *money.Money) string {
		if m == nil {
			return "nil"
		}
		return fmt.Sprint(m.Amount())
	})
	show("big.Int", big.NewInt(1999), func(n *big.Int) string { return n.String() })
	show("big.Rat", big.NewRat(1999, 100), func(n *big.Rat) string { return n.String() })
	show("apd.Decimal", *apd.New(1999, -2), func(n apd.Decimal) string { return n.String() })
	show("decimal.Decimal", decimal.RequireFromString("19.99"), decimal.Decimal.String)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
money.Money of 1999: json 1999, bson 0, cbor 0, msgpack 0, ugorji 0, yaml 0
big.Int of 1999: json 1999, bson 0, cbor 1999, msgpack 0, ugorji 0, yaml 1999
big.Rat of 1999/100: json 1999/100, bson 0/1, cbor 0/1, msgpack 0/1, ugorji 0/1, yaml 1999/100
apd.Decimal of 19.99: json 19.99, bson 0.00, cbor 0.00, msgpack 0.00, ugorji 0.00, yaml 0.00
decimal.Decimal of 19.99: json 19.99, bson 19.99, cbor 19.99, msgpack 0, ugorji 19.99, yaml 19.99
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
