#!/usr/bin/env bash
# A payment whose rate is infinite is in no line of the log.
# Ran on 2026-12-01: logrus v1.10.2, charmbracelet/log v1.0.0, hclog v1.6.3, go-kit/log v0.2.1 beside log/slog of Go 1.26, zap v1.28.0 and zerolog v1.35.1.
# Guess: a field that JSON has no word for spoils that field, not the line.
# Seen:  logrus, hclog and go-kit/log write nothing of the line to the log: no order, no word paid. slog, zap and zerolog write the line with the rate as a text, charmbracelet/log with "invalid value". logrus names the rate, not the order, on standard error; go-kit/log returns an error, which its own callers drop.
# Why:   the whole line is one value for the encoder of JSON, which has no infinity.
# So:    an amount of 0 in a division, the one case that is worth a line, leaves none, and what is counted or reconciled from the log lacks that payment. Log amounts and rates as texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/sirupsen/logrus@v1.10.2 github.com/charmbracelet/log@v1.0.0 github.com/hashicorp/go-hclog@v1.6.3 github.com/go-kit/log@v0.2.1 go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.35.1 2>&1 | grep -E 'added (github.com/sirupsen/logrus|github.com/charmbracelet/log|github.com/hashicorp/go-hclog|github.com/go-kit/log|go.uber.org/zap|github.com/rs/zerolog) ' || true
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strings"

	charm "github.com/charmbracelet/log"
	kit "github.com/go-kit/log"
	"github.com/hashicorp/go-hclog"
	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func main() {
	var out bytes.Buffer
	show := func(name string) {
		line := strings.TrimSpace(out.String())
		rate := "no field rate"
		if at := strings.Index(line, `"rate"`); at >= 0 {
			rate = strings.Trim(line[at:min(len(line), at+50)], "}\n")
		}
		fmt.Printf("%s: bytes written: %v, A-7 is in it: %v, %s\n", name, len(line) > 0, strings.Contains(line, "A-7"), rate)
		out.Reset()
	}
	rate := math.Inf(1)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("paid", "order", "A-7", "rate", rate)
	show("slog")
	zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.InfoLevel)).Info("paid", zap.String("order", "A-7"), zap.Float64("rate", rate))
	show("zap")
	logger := zerolog.New(&out)
	logger.Info().Str("order", "A-7").Float64("rate", rate).Msg("paid")
	show("zerolog")
	rus := logrus.New()
	rus.SetOutput(&out)
	rus.SetFormatter(&logrus.JSONFormatter{})
	rus.WithFields(logrus.Fields{"order": "A-7", "rate": rate}).Info("paid")
	show("logrus")
	charm.NewWithOptions(&out, charm.Options{Formatter: charm.JSONFormatter}).Info("paid", "order", "A-7", "rate", rate)
	show("charmbracelet/log")
	hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: &out}).Info("paid", "order", "A-7", "rate", rate)
	show("hclog")
	err := kit.NewJSONLogger(&out).Log("msg", "paid", "order", "A-7", "rate", rate)
	show("go-kit/log")
	fmt.Println("go-kit/log's error, which its callers drop:", err != nil)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
slog: bytes written: true, A-7 is in it: true, "rate":"!ERROR:json: unsupported value: +Inf"
zap: bytes written: true, A-7 is in it: true, "rate":"+Inf"
zerolog: bytes written: true, A-7 is in it: true, "rate":"+Inf","message":"paid"
logrus: bytes written: false, A-7 is in it: false, no field rate
charmbracelet/log: bytes written: true, A-7 is in it: true, "rate":"invalid value"
hclog: bytes written: false, A-7 is in it: false, no field rate
go-kit/log: bytes written: false, A-7 is in it: false, no field rate
go-kit/log's error, which its callers drop: true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
