#!/usr/bin/env bash
# A payment of 19.999 is 19.99 in a message, and its refund is -20.00.
# Ran on 2026-12-01: hamba/avro v2.31.0, linkedin/goavro v2.15.0, Go 1.26.
# Guess: a decimal that does not fit its scale is an error, as Avro's specification has no rounding, or is rounded to the nearest on both sides of zero.
# Seen:  both store 19.999 as 19.99 and -19.999 as -20.00, 0.009 as 0 and -0.001 as -0.01, without an error.
# Why:   the number times ten to the scale is divided as integers, and that division goes down, not to zero.
# So:    a payment and its refund differ by a cent in the ledger behind the queue, and each converted or divided amount loses its rest. Round to the scale before encoding, and check that it is the same.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/hamba/avro/v2@v2.31.0 github.com/linkedin/goavro/v2@v2.15.0 2>&1 | grep -E 'added (github.com/hamba/avro/v2|github.com/linkedin/goavro/v2) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math/big"

	"github.com/hamba/avro/v2"
	"github.com/linkedin/goavro/v2"
)

const schema = `{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}`

func main() {
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"19.99", "19.999", "-19.999", "0.009", "-0.001"} {
		amount, _ := new(big.Rat).SetString(text)
		data, first := avro.Marshal(avro.MustParse(schema), amount)
		var back any
		if err := avro.Unmarshal(avro.MustParse(schema), data, &back); err != nil {
			panic(err)
		}
		binary, second := codec.BinaryFromNative(nil, amount)
		native, _, err := codec.NativeFromBinary(binary)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: hamba %s, error %v; goavro %s, error %v\n", text, back.(*big.Rat).FloatString(3), first, native.(*big.Rat).FloatString(3), second)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
19.99: hamba 19.990, error <nil>; goavro 19.990, error <nil>
19.999: hamba 19.990, error <nil>; goavro 19.990, error <nil>
-19.999: hamba -20.000, error <nil>; goavro -20.000, error <nil>
0.009: hamba 0.000, error <nil>; goavro 0.000, error <nil>
-0.001: hamba -0.010, error <nil>; goavro -0.010, error <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
