#!/usr/bin/env bash
# What becomes of `amount = 10.75` when the Go field is an int64: half of the decoders cut it to 10 without an error.
# Ran on 2026-11-29: yaml.v3 v3.0.1, goccy/go-yaml v1.19.2, mapstructure v2.5.0 (under viper), BurntSushi/toml v1.6.0,
# pelletier/go-toml v2.4.3, encoding/json.
# Guess: every decoder refuses to put a fraction into an integer, as encoding/json does, unless "weak typing" is asked for.
# Seen:  encoding/json and both TOML libraries refuse. yaml.v3, goccy/go-yaml and mapstructure with WeaklyTypedInput
#        switched off give 10, and mapstructure turns 1e19 into a negative amount.
# Why:   yaml.v3 checks only that the float fits the range; mapstructure's decodeInt casts int64(float) in every mode.
# So:    a fixture or config in major units ("10.75") becomes another amount, not an error. Keep amounts as text or check.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get gopkg.in/yaml.v3@v3.0.1 github.com/goccy/go-yaml@v1.19.2 github.com/go-viper/mapstructure/v2@v2.5.0 \
  github.com/BurntSushi/toml@v1.6.0 github.com/pelletier/go-toml/v2@v2.4.3 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	burnt "github.com/BurntSushi/toml"
	"github.com/go-viper/mapstructure/v2"
	goccy "github.com/goccy/go-yaml"
	pelletier "github.com/pelletier/go-toml/v2"
	yaml3 "gopkg.in/yaml.v3"
)

type Payment struct{ Amount int64 }

func main() {
	show := func(name string, decode func(*Payment) error) {
		p := Payment{Amount: -1}
		if decode(&p) != nil {
			fmt.Printf("%-28s refused\n", name)
			return
		}
		fmt.Printf("%-28s amount %d, no error\n", name, p.Amount)
	}
	show("encoding/json", func(p *Payment) error { return json.Unmarshal([]byte(`{"amount": 10.75}`), p) })
	show("BurntSushi/toml", func(p *Payment) error { return burnt.Unmarshal([]byte("amount = 10.75"), p) })
	show("pelletier/go-toml", func(p *Payment) error { return pelletier.Unmarshal([]byte("amount = 10.75"), p) })
	show("yaml.v3", func(p *Payment) error { return yaml3.Unmarshal([]byte("amount: 10.75"), p) })
	show("goccy/go-yaml", func(p *Payment) error { return goccy.Unmarshal([]byte("amount: 10.75"), p) })
	show("mapstructure, not weak", func(p *Payment) error { return mapstructure.Decode(map[string]any{"amount": 10.75}, p) })
	show("mapstructure, not weak, 1e19", func(p *Payment) error { return mapstructure.Decode(map[string]any{"amount": 1e19}, p) })
}
GO
cat >expected.txt <<'TXT'
encoding/json                refused
BurntSushi/toml              refused
pelletier/go-toml            refused
yaml.v3                      amount 10, no error
goccy/go-yaml                amount 10, no error
mapstructure, not weak       amount 10, no error
mapstructure, not weak, 1e19 amount -9223372036854775808, no error
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
