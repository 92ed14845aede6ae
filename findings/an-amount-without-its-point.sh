#!/usr/bin/env bash
# A decimal column that one tool writes is read a hundred times too high by another.
# Ran on 2026-11-30: apache-arrow 21.2.0, with parquet-wasm 0.8.0 and a file written by DuckDB 1.5.6 (@duckdb/node-api); Node 20.
# Guess: the value of a column decimal(12,2) prints as 19.99, or its number is 19.99.
# Seen:  its text is 1999, its number is 1999, and toJSON gives 1999; only the column's type knows the two decimals.
# Why:   the value is the unscaled integer, and nothing in it remembers the scale.
# So:    a report over a parquet file of payments is wrong by the same factor in each row, so all its shares and rates look right. Divide by 10 to the type's scale.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent apache-arrow@21.2.0 parquet-wasm@0.8.0 @duckdb/node-api@1.5.6-r.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { readFileSync } from 'node:fs';
import { readParquet } from 'parquet-wasm';

const db = await (await DuckDBInstance.create()).connect();
await db.run(`copy (select 'A-17' as order_id, 19.99::decimal(12,2) as amount) to 'payments.parquet' (format parquet)`);
const table = tableFromIPC(readParquet(new Uint8Array(readFileSync('payments.parquet'))).intoIPCStream());
const row = table.get(0);
console.log(`written 19.99; as text ${row.amount}, as a number ${Number(row.amount)}, in toJSON ${row.toJSON().amount}; the type's scale ${table.schema.fields[1].type.scale}`);
JS
cat >expected.txt <<'TXT'
written 19.99; as text 1999, as a number 1999, in toJSON 1999; the type's scale 2
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
