#!/usr/bin/env bash
# Two merchants whose ids differ in a capital letter have one limit, and a limit for USD is found under usd only.
# Ran on 2026-11-30: viper v1.21.0 beside koanf v2.4.1, Go 1.26.
# Guess: the keys of a map in a configuration are data and stay as they are.
# Seen:  of {mKq7: 500, mkQ7: 9000, USD: 100} viper's GetStringMap and Unmarshal give two entries, mkq7 and usd; which of the two limits it is changes from run to run. koanf gives three.
# Why:   viper's keys have no case: every key of every level is made lower-case when the file is read, in the order of a Go map.
# So:    limits['USD'] is 0, which is `no payment` or `no limit` as the code has it, and a merchant has another one's limit after a restart. Keep such maps as lists of entries.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/spf13/viper@v1.21.0 github.com/knadh/koanf/v2@v2.4.1 github.com/knadh/koanf/parsers/yaml@v1.1.1 github.com/knadh/koanf/providers/rawbytes@v1.0.0 2>&1 | grep -E 'github.com/spf13/viper|github.com/knadh/koanf/v2|github.com/knadh/koanf/parsers/yaml|github.com/knadh/koanf/providers/rawbytes' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/viper"
)

const file = "limits: {mKq7: 500, mkQ7: 9000, USD: 100}"

type settings struct{ Limits map[string]int }

func main() {
	keys, values := map[string]bool{}, map[int]bool{}
	var s settings
	for range 200 {
		v := viper.New()
		v.SetConfigType("yaml")
		if err := v.ReadConfig(strings.NewReader(file)); err != nil {
			panic(err)
		}
		s = settings{}
		if err := v.Unmarshal(&s); err != nil {
			panic(err)
		}
		for k := range s.Limits {
			keys[k] = true
		}
		values[s.Limits["mkq7"]] = true
	}
	var names []string
	for k := range keys {
		names = append(names, k)
	}
	slices.Sort(names)
	fmt.Printf("viper: keys %v, limits[USD] %d, limits of mkq7 in 200 reads: 500 %v, 9000 %v\n", names, s.Limits["USD"], values[500], values[9000])
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider([]byte(file)), yaml.Parser()); err != nil {
		panic(err)
	}
	s = settings{}
	if err := k.Unmarshal("", &s); err != nil {
		panic(err)
	}
	fmt.Println("koanf:", s.Limits)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
viper: keys [mkq7 usd], limits[USD] 0, limits of mkq7 in 200 reads: 500 true, 9000 true
koanf: map[USD:100 mKq7:500 mkQ7:9000]
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
