#!/usr/bin/env bash
# Asked for an error, the conversion of 3,000,000,000 into an int32 gives a negative number and none.
# Ran on 2026-12-01: spf13/cast v1.10.0, spf13/viper v1.21.0, go-viper/mapstructure v2.5.0 beside encoding/json, Go 1.26.
# Guess: a conversion that returns an error returns one for a number that does not fit the type.
# Seen:  cast.ToInt32E of 3000000000 is -1294967296 and of 5000000000 is 705032704, ToUint16E of 70000 is 4464, ToInt64E of the greatest uint64 is -1, and of the text 19.99 it is 19, each with a nil error. mapstructure decodes the same numbers into its fields, and so does viper's Unmarshal; its GetInt32 has no error to give. encoding/json refuses.
# Why:   the error is for types that have no conversion; the number itself goes through Go's int32(x), which cuts bits off. mapstructure looks at texts and at negative numbers only.
# So:    a limit of three thousand million dong in a configuration is below zero, and nothing passes it, or everything does where it is a floor; one of five thousand million is a seventh. Read into int64, and check the range.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/spf13/cast@v1.10.0 github.com/go-viper/mapstructure/v2@v2.5.0 github.com/spf13/viper@v1.21.0 2>&1 | grep -E 'added github.com/(spf13/(cast|viper)|go-viper/mapstructure/v2) ' || true
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/cast"
	"github.com/spf13/viper"
)

type limits struct {
	Amount int32  `json:"amount"`
	Order  int64  `json:"order"`
	Small  uint16 `json:"small"`
}

func main() {
	for _, value := range []any{int64(3000000000), 5000000000, uint64(3000000000)} {
		amount, err := cast.ToInt32E(value)
		fmt.Printf("cast.ToInt32E of %T %v: %d, error %v\n", value, value, amount, err)
	}
	order, err := cast.ToInt64E(uint64(18446744073709551615))
	fmt.Printf("cast.ToInt64E of uint64 18446744073709551615: %d, error %v\n", order, err)
	whole, err := cast.ToInt64E("19.99")
	fmt.Printf("cast.ToInt64E of the text 19.99: %d, error %v\n", whole, err)
	port, err := cast.ToUint16E(70000)
	fmt.Printf("cast.ToUint16E of 70000: %d, error %v\n", port, err)

	var decoded limits
	err = mapstructure.Decode(map[string]any{"amount": int64(3000000000), "order": uint64(18446744073709551615), "small": 70000}, &decoded)
	fmt.Printf("mapstructure: %+v, error %v\n", decoded, err)

	config := viper.New()
	config.SetConfigType("yaml")
	if err := config.ReadConfig(strings.NewReader("amount: 3000000000\nsmall: 70000\n")); err != nil {
		panic(err)
	}
	var loaded limits
	err = config.Unmarshal(&loaded)
	fmt.Printf("viper: %+v, error %v; GetInt32 %d, GetUint16 %d\n", loaded, err, config.GetInt32("amount"), config.GetUint16("small"))
	fmt.Printf("encoding/json: error %v\n", json.Unmarshal([]byte(`{"amount":3000000000}`), &loaded))
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
cast.ToInt32E of int64 3000000000: -1294967296, error <nil>
cast.ToInt32E of int 5000000000: 705032704, error <nil>
cast.ToInt32E of uint64 3000000000: -1294967296, error <nil>
cast.ToInt64E of uint64 18446744073709551615: -1, error <nil>
cast.ToInt64E of the text 19.99: 19, error <nil>
cast.ToUint16E of 70000: 4464, error <nil>
mapstructure: {Amount:-1294967296 Order:-1 Small:4464}, error <nil>
viper: {Amount:-1294967296 Order:0 Small:4464}, error <nil>; GetInt32 -1294967296, GetUint16 4464
encoding/json: error json: cannot unmarshal number 3000000000 into Go struct field limits.amount of type int32
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
