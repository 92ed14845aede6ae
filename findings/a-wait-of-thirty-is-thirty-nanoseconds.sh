#!/usr/bin/env bash
# A pause of 30 between two tries of a payment is 30 nanoseconds, and a key that is kept for 86400 is gone at once.
# Ran on 2026-11-30: viper v1.21.0, koanf v2.4.1, BurntSushi/toml v1.6.0 beside yaml.v3 v3.0.1, goccy/go-yaml v1.19.2, caarlos0/env v11.4.2, envconfig v1.4.0, Go 1.26.
# Guess: `wait: 30` for a time.Duration is 30 seconds, or an error that asks for a unit.
# Seen:  it is 30ns for viper, from a file and from the environment, for koanf and for BurntSushi/toml, without an error. Both YAML libraries and both libraries of environment variables refuse it.
# Why:   a Duration is a number of nanoseconds, and a number without a unit is taken as one; viper even writes the unit behind a text.
# So:    a retry policy without pauses, a timeout that ends each call before it is sent, and a lock that never holds, all from one missing `s`. Refuse durations below a millisecond.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/spf13/viper@v1.21.0 github.com/knadh/koanf/v2@v2.4.1 github.com/knadh/koanf/parsers/yaml@v1.1.1 github.com/knadh/koanf/providers/rawbytes@v1.0.0 github.com/BurntSushi/toml@v1.6.0 gopkg.in/yaml.v3@v3.0.1 github.com/goccy/go-yaml@v1.19.2 github.com/caarlos0/env/v11@v11.4.2 github.com/kelseyhightower/envconfig@v1.4.0 2>&1 | grep -E 'github.com/spf13/viper|github.com/knadh/koanf/v2|github.com/knadh/koanf/parsers/yaml|github.com/knadh/koanf/providers/rawbytes|github.com/BurntSushi/toml|gopkg.in/yaml.v3|github.com/goccy/go-yaml|github.com/caarlos0/env/v11|github.com/kelseyhightower/envconfig' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/caarlos0/env/v11"
	goccy "github.com/goccy/go-yaml"
	"github.com/kelseyhightower/envconfig"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/viper"
	yaml3 "gopkg.in/yaml.v3"
)

type policy struct {
	Wait time.Duration `env:"WAIT"`
}

const file = "wait: 30"

func main() {
	os.Setenv("WAIT", "30")
	show := func(name string, wait time.Duration, err error) {
		if err != nil {
			fmt.Printf("%s: an error\n", name)
			return
		}
		fmt.Printf("%s: %v\n", name, wait)
	}
	var p policy
	v := viper.New()
	v.SetConfigType("yaml")
	err := v.ReadConfig(strings.NewReader(file))
	show("viper GetDuration", v.GetDuration("wait"), err)
	err = v.Unmarshal(&p)
	show("viper Unmarshal", p.Wait, err)
	v = viper.New()
	err = v.BindEnv("wait")
	show("viper GetDuration of the environment", v.GetDuration("wait"), err)
	k := koanf.New(".")
	err = k.Load(rawbytes.Provider([]byte(file)), yaml.Parser())
	show("koanf Duration", k.Duration("wait"), err)
	p = policy{}
	err = k.Unmarshal("", &p)
	show("koanf Unmarshal", p.Wait, err)
	p = policy{}
	_, err = toml.Decode("wait = 30", &p)
	show("BurntSushi/toml", p.Wait, err)
	p = policy{}
	err = yaml3.Unmarshal([]byte(file), &p)
	show("yaml.v3", p.Wait, err)
	p = policy{}
	err = goccy.Unmarshal([]byte(file), &p)
	show("goccy/go-yaml", p.Wait, err)
	p = policy{}
	err = env.Parse(&p)
	show("caarlos0/env", p.Wait, err)
	p = policy{}
	err = envconfig.Process("", &p)
	show("envconfig", p.Wait, err)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
viper GetDuration: 30ns
viper Unmarshal: 30ns
viper GetDuration of the environment: 30ns
koanf Duration: 30ns
koanf Unmarshal: 30ns
BurntSushi/toml: 30ns
yaml.v3: an error
goccy/go-yaml: an error
caarlos0/env: an error
envconfig: an error
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
