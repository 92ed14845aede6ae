#!/usr/bin/env bash
# A command that is asked to refund 0100 refunds 64.
# Ran on 2026-11-30: flag and fmt of Go 1.26, pflag v1.1.0, urfave/cli v3.14.0, kong v1.17.0, go-flags v1.6.1, go-arg v1.6.1, envconfig v1.4.0, cleanenv v1.5.0, go-envconfig v1.4.3, viper v1.21.0 beside caarlos0/env v11.4.2.
# Guess: --amount 0100 for an integer is 100, or an error.
# Seen:  it is 64 for flag and five other libraries of flags, for three of four libraries of environment variables, for viper and for fmt.Sscan; 0x10 is 16. 0089 is an error for all of these but two: viper gives 0, fmt.Sscan 0, both without an error. caarlos0/env reads 100 and 89.
# Why:   they call strconv.ParseInt with base 0, for which a leading zero means octal.
# So:    numbers that a fixed-width report or a script pads with zeros are other amounts and other orders, as long as no digit is 8 or 9. Take such values as text and parse them with base 10.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/spf13/pflag@v1.1.0 github.com/urfave/cli/v3@v3.14.0 github.com/alecthomas/kong@v1.17.0 github.com/jessevdk/go-flags@v1.6.1 github.com/alexflint/go-arg@v1.6.1 github.com/kelseyhightower/envconfig@v1.4.0 github.com/ilyakaznacheev/cleanenv@v1.5.0 github.com/sethvargo/go-envconfig@v1.4.3 github.com/spf13/viper@v1.21.0 github.com/caarlos0/env/v11@v11.4.2 2>&1 | grep -E 'github.com/spf13/pflag|github.com/urfave/cli/v3|github.com/alecthomas/kong|github.com/jessevdk/go-flags|github.com/alexflint/go-arg|github.com/kelseyhightower/envconfig|github.com/ilyakaznacheev/cleanenv|github.com/sethvargo/go-envconfig|github.com/spf13/viper|github.com/caarlos0/env/v11' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/alexflint/go-arg"
	"github.com/caarlos0/env/v11"
	"github.com/ilyakaznacheev/cleanenv"
	"github.com/jessevdk/go-flags"
	"github.com/kelseyhightower/envconfig"
	senv "github.com/sethvargo/go-envconfig"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"github.com/urfave/cli/v3"
)

type settings struct {
	Amount int64 `env:"AMOUNT" long:"amount"`
}

func readers(text string) map[string]func() (int64, error) {
	os.Setenv("AMOUNT", text)
	args := []string{"--amount", text}
	var s settings
	return map[string]func() (int64, error){
		"1 flag": func() (int64, error) {
			set := flag.NewFlagSet("", flag.ContinueOnError)
			set.SetOutput(io.Discard)
			v := set.Int64("amount", 0, "")
			err := set.Parse(args)
			return *v, err
		},
		"1 pflag": func() (int64, error) {
			set := pflag.NewFlagSet("", pflag.ContinueOnError)
			v := set.Int64("amount", 0, "")
			err := set.Parse(args)
			return *v, err
		},
		"1 urfave/cli": func() (v int64, err error) {
			c := &cli.Command{Flags: []cli.Flag{&cli.Int64Flag{Name: "amount", Destination: &v}}, Writer: io.Discard, ErrWriter: io.Discard}
			err = c.Run(context.Background(), append([]string{"refund"}, args...))
			return v, err
		},
		"1 kong": func() (int64, error) {
			var c struct{ Amount int64 }
			p, err := kong.New(&c)
			if err == nil {
				_, err = p.Parse(args)
			}
			return c.Amount, err
		},
		"1 go-flags": func() (int64, error) {
			_, err := flags.NewParser(&s, 0).ParseArgs(args)
			return s.Amount, err
		},
		"1 go-arg": func() (int64, error) {
			var c struct{ Amount int64 }
			p, err := arg.NewParser(arg.Config{}, &c)
			if err == nil {
				err = p.Parse(args)
			}
			return c.Amount, err
		},
		"2 envconfig":   func() (int64, error) { err := envconfig.Process("", &s); return s.Amount, err },
		"2 cleanenv":    func() (int64, error) { err := cleanenv.ReadEnv(&s); return s.Amount, err },
		"2 go-envconfig": func() (int64, error) { err := senv.Process(context.Background(), &s); return s.Amount, err },
		"2 caarlos0/env": func() (int64, error) { err := env.Parse(&s); return s.Amount, err },
		"2 viper": func() (int64, error) {
			v := viper.New()
			err := v.BindEnv("amount")
			return v.GetInt64("amount"), err
		},
		"3 fmt.Sscan": func() (v int64, err error) { _, err = fmt.Sscan(text, &v); return v, err },
	}
}

func main() {
	names := strings.Split("1 flag,1 pflag,1 urfave/cli,1 kong,1 go-flags,1 go-arg,2 envconfig,2 cleanenv,2 go-envconfig,2 viper,3 fmt.Sscan,2 caarlos0/env", ",")
	for _, name := range names {
		said := []string{}
		for _, text := range []string{"0100", "0089", "0x10"} {
			v, err := readers(text)[name]()
			if err != nil {
				said = append(said, text+" refused")
			} else {
				said = append(said, fmt.Sprintf("%s is %d", text, v))
			}
		}
		fmt.Printf("%s: %s\n", name[2:], strings.Join(said, ", "))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
flag: 0100 is 64, 0089 refused, 0x10 is 16
pflag: 0100 is 64, 0089 refused, 0x10 is 16
urfave/cli: 0100 is 64, 0089 refused, 0x10 is 16
kong: 0100 is 64, 0089 refused, 0x10 is 16
go-flags: 0100 is 64, 0089 refused, 0x10 is 16
go-arg: 0100 is 64, 0089 refused, 0x10 is 16
envconfig: 0100 is 64, 0089 refused, 0x10 is 16
cleanenv: 0100 is 64, 0089 refused, 0x10 is 16
go-envconfig: 0100 is 64, 0089 refused, 0x10 is 16
viper: 0100 is 64, 0089 is 0, 0x10 is 16
fmt.Sscan: 0100 is 64, 0089 is 0, 0x10 is 16
caarlos0/env: 0100 is 100, 0089 is 89, 0x10 refused
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
