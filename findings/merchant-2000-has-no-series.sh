#!/usr/bin/env bash
# A counter with the merchant as an attribute has no series for the merchants after the first 1,999.
# Ran on 2026-11-30: OpenTelemetry's metric SDK for Go v1.47.0, as it comes; Go 1.26.
# Guess: each of 3,000 merchants has its own series; a bound on their number is something that one sets.
# Seen:  2,000 series; 1,001 merchants are added up in one without a merchant. Which ones depends on who came first since the start. No error, no log. With delta readings each interval begins anew.
# Why:   the SDK keeps to the specification's default of 2,000 combinations of attributes an instrument; older versions had none. sdk.WithCardinalityLimit changes it.
# So:    after an upgrade an alert on "a payment of this merchant was charged twice" is silent for the merchants who came late. Watch the attribute otel.metric.overflow, or set the limit.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get go.opentelemetry.io/otel/sdk/metric@v1.47.0 go.opentelemetry.io/otel@v1.47.0 2>&1 | grep -E 'go.opentelemetry.io/otel/sdk/metric|go.opentelemetry.io/otel' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func series(merchants int, options ...sdk.Option) (own int, overflow int64, last bool) {
	ctx := context.Background()
	reader := sdk.NewManualReader()
	counter, _ := sdk.NewMeterProvider(append(options, sdk.WithReader(reader))...).Meter("payments").Int64Counter("charged.twice")
	for i := range merchants {
		counter.Add(ctx, 1, metric.WithAttributes(attribute.Int("merchant", i)))
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		panic(err)
	}
	for _, p := range all.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints {
		if v, found := p.Attributes.Value("merchant"); found {
			own++
			last = last || v.AsInt64() == int64(merchants-1)
		} else {
			overflow += p.Value
		}
	}
	return own, overflow, last
}

func main() {
	for _, n := range []int{1999, 2000, 3000} {
		own, overflow, last := series(n)
		fmt.Printf("%d merchants: %d have a series, %d events belong to none, the last merchant is seen: %t\n", n, own, overflow, last)
	}
	own, overflow, _ := series(3000, sdk.WithCardinalityLimit(0))
	fmt.Printf("without a limit: %d have a series, %d events belong to none\n", own, overflow)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
1999 merchants: 1999 have a series, 0 events belong to none, the last merchant is seen: true
2000 merchants: 1999 have a series, 1 events belong to none, the last merchant is seen: false
3000 merchants: 1999 have a series, 1001 events belong to none, the last merchant is seen: false
without a limit: 3000 have a series, 0 events belong to none
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
