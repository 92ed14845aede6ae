#!/usr/bin/env bash
# CPU of `recourse simulate` beside DuckDB's GROUP BY over eight columns of the same recording, each on two threads, in turn.
#
#   go run ./internal/generate -flows 310000 -days 30 -out /tmp/big.jsonl      # 1.09 GB
#   bench/duckdb.sh /tmp/big.jsonl [ROUNDS]
#
# It needs Go, and Node 20 or later with npm. DuckDB is installed into a temporary folder.
set -euo pipefail
file=$(realpath "$1")
rounds=${2:-3}
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

go build -o "$tmp/recourse" ./cmd/recourse
npm install --silent --no-audit --no-fund --prefix "$tmp" @duckdb/node-api@1.5.6-r.1 >&2
cat >"$tmp/group.mjs" <<'EOF'
import { DuckDBInstance } from '@duckdb/node-api'

const db = await DuckDBInstance.create(':memory:', { threads: '2' })
const columns = `{provider: 'VARCHAR', merchant: 'VARCHAR', operation: 'VARCHAR', phase: 'VARCHAR', currency: 'VARCHAR', capture: 'VARCHAR', fault: 'VARCHAR', http_status: 'INTEGER', amount: 'BIGINT'}`
const result = await (await db.connect()).runAndReadAll(`
  SELECT provider, merchant, operation, phase, currency, capture, fault, http_status, count(*) AS n, sum(amount)
  FROM read_json('${process.argv[2]}', format = 'newline_delimited', columns = ${columns})
  GROUP BY ALL`)
console.log(result.getRowObjects().reduce((sum, row) => sum + row.n, 0n).toString())
EOF

# used COMMAND...: its seconds of CPU and of wall time. simulate ends with 1 where the recorded client did harm.
used() {
  local TIMEFORMAT='%3U %3S %3R' status=0
  { time "$@" >"$tmp/out" 2>"$tmp/err" || status=$?; } 2>"$tmp/time"
  [ "$status" -le 1 ] || { cat "$tmp/err" >&2; exit 2; }
  awk '{ printf "%.2f %.2f\n", $1 + $2, $3 }' "$tmp/time"
}

export GOMAXPROCS=2
printf '%-6s %12s %12s %12s %12s %8s\n' round 'simulate CPU' 'its wall' 'DuckDB CPU' 'its wall' 'ratio'
for round in $(seq "$rounds"); do
  read -r cpu wall <<<"$(used "$tmp/recourse" simulate --json "$file")"
  read -r other otherwall <<<"$(used node "$tmp/group.mjs" "$file")"
  [ "$(cat "$tmp/out")" = "$(wc -l <"$file")" ] || { echo "DuckDB counted $(cat "$tmp/out") lines" >&2; exit 2; }
  printf '%-6s %12s %12s %12s %12s %8s\n' "$round" "$cpu" "$wall" "$other" "$otherwall" "$(awk "BEGIN { printf \"%.2f\", $cpu / $other }")"
done
