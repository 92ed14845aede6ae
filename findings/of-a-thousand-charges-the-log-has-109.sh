#!/usr/bin/env bash
# Of a thousand charges in a second the log has 109 lines, and of a thousand failed refunds 109.
# Ran on 2026-12-01: zap v1.28.0 beside zerolog v1.34.0 and log/slog of Go 1.26.
# Guess: a logger for production writes each line, or at least each error.
# Seen:  zap.NewProduction writes the first 100 lines with one message in a second and then each hundredth, whatever their order numbers are, of errors too, and says nowhere that it dropped any. NewDevelopment, zerolog and slog write all.
# Why:   its configuration samples by the message alone; fields do not count.
# So:    who counts charges, or looks for order 523, in the log after a bad second does not find it, and the reconciliation that reads it calls money lost. Set config.Sampling = nil where lines are records.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.34.0 2>&1 | grep -E 'added (go.uber.org/zap|github.com/rs/zerolog) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
)

func main() {
	file, err := os.Create("slog")
	if err != nil {
		panic(err)
	}
	standard := slog.New(slog.NewJSONHandler(file, nil))
	second, err := os.Create("zerolog")
	if err != nil {
		panic(err)
	}
	zero := zerolog.New(second)
	open := func(name string, config zap.Config) *zap.SugaredLogger {
		config.OutputPaths = []string{name}
		return zap.Must(config.Build()).Sugar()
	}
	every := zap.NewProductionConfig()
	every.Sampling = nil
	production, development, unsampled := open("production", zap.NewProductionConfig()), open("development", zap.NewDevelopmentConfig()), open("unsampled", every)
	for order := range 1000 {
		for _, l := range []*zap.SugaredLogger{production, development, unsampled} {
			l.Infow("charged", "order", order)
			l.Errorw("refund failed", "order", order)
		}
		standard.Info("charged", "order", order)
		standard.Error("refund failed", "order", order)
		zero.Info().Int("order", order).Msg("charged")
		zero.Error().Int("order", order).Msg("refund failed")
	}
	for _, name := range []string{"production", "development", "unsampled", "slog", "zerolog"} {
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		// A pause of the machine may begin a second window; then there are more lines, and never all.
		count := func(message string) string {
			n := strings.Count(string(text), message)
			if n < 500 {
				return "fewer than 500 of 1000"
			}
			return fmt.Sprint(n)
		}
		fmt.Printf("%s: charged %s, refund failed %s\n", name, count("charged"), count("refund failed"))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
production: charged fewer than 500 of 1000, refund failed fewer than 500 of 1000
development: charged 1000, refund failed 1000
unsampled: charged 1000, refund failed 1000
slog: charged 1000, refund failed 1000
zerolog: charged 1000, refund failed 1000
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
