#!/usr/bin/env bash
# 3,000,000,000 is refused, and 15,000,000,000 is 2,115,098,112.
# Ran on 2026-12-01: json-iterator/go v1.1.12, segmentio/encoding v0.5.4 beside encoding/json, goccy/go-json v0.12.0, sonic v1.15.5, Go 1.26.
# Guess: a number that an int32 or a uint64 cannot hold is an error, as in encoding/json; if 3,000,000,000 is one, each larger number is.
# Seen:  jsoniter, also in its mode that is compatible with the standard library, refuses 3,000,000,000 for an int32, and takes 5,000,000,000 for 705032704 and 15,000,000,000 for 2115098112. For a uint64 jsoniter and segmentio refuse 2^64 and take 30000000000000000000 for 11553255926290448384. The others refuse all.
# Why:   the next digit is multiplied and added in the type's own bits, and the check for an overflow looks whether the sum has become smaller, which after a multiplication by ten it need not.
# So:    an order of fifteen thousand million dong is paid with two thousand million, and its row looks like any other; a test with a number just over the limit has passed. Take int64 for amounts, and encoding/json where the size of a number matters.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/json-iterator/go@v1.1.12 github.com/goccy/go-json@v0.12.0 github.com/segmentio/encoding@v0.5.4 github.com/bytedance/sonic@v1.15.5 2>&1 | grep -E 'added github.com/(json-iterator/go|goccy/go-json|segmentio/encoding|bytedance/sonic) ' || true
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	jsoniter "github.com/json-iterator/go"
	segmentio "github.com/segmentio/encoding/json"
)

type payment struct {
	Amount int32  `json:"amount"`
	Order  uint64 `json:"order"`
}

func main() {
	for _, text := range []string{`{"amount":3000000000}`, `{"amount":5000000000}`, `{"amount":15000000000}`, `{"order":18446744073709551616}`, `{"order":30000000000000000000}`} {
		fmt.Print(text)
		for _, reader := range []struct {
			name string
			read func([]byte, any) error
		}{
			{"jsoniter", jsoniter.Unmarshal}, {"compatible", jsoniter.ConfigCompatibleWithStandardLibrary.Unmarshal},
			{"encoding/json", json.Unmarshal}, {"goccy", goccy.Unmarshal}, {"segmentio", segmentio.Unmarshal}, {"sonic", sonic.Unmarshal},
		} {
			var p payment
			if err := reader.read([]byte(text), &p); err != nil {
				fmt.Printf("; %s refused", reader.name)
				continue
			}
			fmt.Printf("; %s %d", reader.name, max(uint64(p.Amount), p.Order))
		}
		fmt.Println()
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
{"amount":3000000000}; jsoniter refused; compatible refused; encoding/json refused; goccy refused; segmentio refused; sonic refused
{"amount":5000000000}; jsoniter 705032704; compatible 705032704; encoding/json refused; goccy refused; segmentio refused; sonic refused
{"amount":15000000000}; jsoniter 2115098112; compatible 2115098112; encoding/json refused; goccy refused; segmentio refused; sonic refused
{"order":18446744073709551616}; jsoniter refused; compatible refused; encoding/json refused; goccy refused; segmentio refused; sonic refused
{"order":30000000000000000000}; jsoniter 11553255926290448384; compatible 11553255926290448384; encoding/json refused; goccy refused; segmentio 11553255926290448384; sonic refused
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
