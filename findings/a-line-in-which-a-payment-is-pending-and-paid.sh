#!/usr/bin/env bash
# One line of a log says pending to one reader and paid to another.
# Ran on 2026-12-01: log/slog of Go 1.26, zap v1.28.0, zerolog v1.35.1, charmbracelet/log v1.0.0 beside logrus v1.10.2, hclog v1.6.3 and go-kit/log v0.2.1; read by encoding/json, goccy/go-json v0.12.0, jsoniter v1.1.12, gjson v1.20.3, jsonparser v1.6.1, fastjson v1.6.10.
# Guess: a field that is given again, in the call and in the logger that it was made from, has its last value.
# Seen:  slog, zap, zerolog and charmbracelet/log write the key twice, logrus, hclog and go-kit/log once. Of the line with two, encoding/json, goccy/go-json and jsoniter read paid, and gjson, jsonparser and fastjson read pending. With slog a field called msg, level or time stands there beside the line's own.
# Why:   the logger's fields are encoded once and for all, and the call's are put behind them; a reader that looks for one key stops at the first.
# So:    a search in the log and a program over it find two histories of one payment. Name the fields otherwise, or read with a decoder of the whole line.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.35.1 github.com/charmbracelet/log@v1.0.0 github.com/sirupsen/logrus@v1.10.2 github.com/hashicorp/go-hclog@v1.6.3 github.com/go-kit/log@v0.2.1 github.com/goccy/go-json@v0.12.0 github.com/json-iterator/go@v1.1.12 github.com/tidwall/gjson@v1.20.3 github.com/buger/jsonparser@v1.6.1 github.com/valyala/fastjson@v1.6.10 2>&1 | grep -E 'added (go.uber.org/zap|github.com/rs/zerolog|github.com/charmbracelet/log|github.com/sirupsen/logrus|github.com/hashicorp/go-hclog|github.com/go-kit/log|github.com/goccy/go-json|github.com/json-iterator/go|github.com/tidwall/gjson|github.com/buger/jsonparser|github.com/valyala/fastjson) ' || true
cat >main.go <<'GO'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/buger/jsonparser"
	charm "github.com/charmbracelet/log"
	kit "github.com/go-kit/log"
	goccy "github.com/goccy/go-json"
	"github.com/hashicorp/go-hclog"
	jsoniter "github.com/json-iterator/go"
	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"github.com/tidwall/gjson"
	"github.com/valyala/fastjson"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func main() {
	var out bytes.Buffer
	show := func(name string) string {
		line := out.String()
		fmt.Printf("%s writes status %d times\n", name, strings.Count(line, `"status"`))
		out.Reset()
		return line
	}
	slog.New(slog.NewJSONHandler(&out, nil)).With("status", "pending").Info("payment", "status", "paid")
	line := show("slog")
	zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.InfoLevel)).
		With(zap.String("status", "pending")).Info("payment", zap.String("status", "paid"))
	show("zap")
	pending := zerolog.New(&out).With().Str("status", "pending").Logger()
	pending.Info().Str("status", "paid").Msg("payment")
	show("zerolog")
	charm.NewWithOptions(&out, charm.Options{Formatter: charm.JSONFormatter}).With("status", "pending").Info("payment", "status", "paid")
	show("charmbracelet/log")
	rus := logrus.New()
	rus.SetOutput(&out)
	rus.SetFormatter(&logrus.JSONFormatter{})
	rus.WithField("status", "pending").WithField("status", "paid").Info("payment")
	show("logrus")
	hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: &out}).With("status", "pending").Info("payment", "status", "paid")
	show("hclog")
	_ = kit.With(kit.NewJSONLogger(&out), "status", "pending").Log("status", "paid")
	show("go-kit/log")

	var read struct{ Status string }
	_ = json.Unmarshal([]byte(line), &read)
	fmt.Println("slog's line, read by encoding/json:", read.Status)
	_ = goccy.Unmarshal([]byte(line), &read)
	fmt.Println("slog's line, read by goccy/go-json:", read.Status)
	_ = jsoniter.Unmarshal([]byte(line), &read)
	fmt.Println("slog's line, read by jsoniter:", read.Status)
	fmt.Println("slog's line, read by gjson:", gjson.Get(line, "status"))
	text, _ := jsonparser.GetString([]byte(line), "status")
	fmt.Println("slog's line, read by jsonparser:", text)
	value, _ := fastjson.Parse(line)
	fmt.Println("slog's line, read by fastjson:", string(value.GetStringBytes("status")))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("payment", "level", "gold", "msg", "thanks")
	fmt.Println("slog, a field level and a field msg:", out.String()[strings.Index(out.String(), `"level"`)-1:len(out.String())-1])
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
slog writes status 2 times
zap writes status 2 times
zerolog writes status 2 times
charmbracelet/log writes status 2 times
logrus writes status 1 times
hclog writes status 1 times
go-kit/log writes status 1 times
slog's line, read by encoding/json: paid
slog's line, read by goccy/go-json: paid
slog's line, read by jsoniter: paid
slog's line, read by gjson: pending
slog's line, read by jsonparser: pending
slog's line, read by fastjson: pending
slog, a field level and a field msg: ,"level":"INFO","msg":"payment","level":"gold","msg":"thanks"}
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
