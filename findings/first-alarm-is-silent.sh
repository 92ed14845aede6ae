#!/usr/bin/env bash
# In Prometheus the alert `increase(charged_twice_total[10m]) > 0` stays silent for a counter's first event.
# Ran on 2026-11-30: promtool 2.42.0 of Debian 12.
# Guess: a counter that appears with the value 1 has increased by 1, so the alert fires.
# Seen:  its increase is 0; the alert fires only for the series that had been 0 before. `… or (x > 0 unless x offset 10m)` finds both.
# Why:   an increase is the difference of samples within the range, and a series without an earlier sample has none.
# So:    a client library makes a labelled counter at its first event: the first double charge of each merchant rings no bell.
#        Make the counters of every merchant at the start, or ask for new series too.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'prometheus=2.42.0*' 2>/dev/null
dpkg -x prometheus_*.deb .
./usr/bin/promtool --version 2>&1 | head -n 1 | cut -d ' ' -f 1-3
cat >rules.yml <<'YML'
groups:
  - name: money
    rules:
      - alert: ChargedTwice
        expr: increase(charged_twice_total[10m]) > 0
      - alert: ChargedTwiceOrNew
        expr: increase(charged_twice_total[10m]) > 0 or (charged_twice_total > 0 unless charged_twice_total offset 10m)
YML
cat >test.yml <<'YML'
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'charged_twice_total{merchant="its-first-event"}', values: '_x20 1x20'}
      - {series: 'charged_twice_total{merchant="zero-before"}', values: '0x20 1x20'}
    promql_expr_test:
      - expr: increase(charged_twice_total[10m])
        eval_time: 25m
        exp_samples:
          - {labels: '{merchant="its-first-event"}', value: 0}
          - {labels: '{merchant="zero-before"}', value: 1}
    alert_rule_test:
      - {eval_time: 25m, alertname: ChargedTwice, exp_alerts: [{exp_labels: {merchant: zero-before}}]}
      - {eval_time: 25m, alertname: ChargedTwiceOrNew, exp_alerts: [{exp_labels: {merchant: zero-before}}, {exp_labels: {merchant: its-first-event}}]}
YML
./usr/bin/promtool test rules test.yml || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "increase is 0 at a counter's first event, and 1 where it was 0 before: as seen on 2026-11-30"
