#!/usr/bin/env bash
# One row decides what the dates of all other rows mean.
# Ran on 2026-11-30: DuckDB 1.5.6 (@duckdb/node-api); Node 20.
# Guess: 05/11/2026 in a CSV is one date, whatever else the file holds, or a text.
# Seen:  in a file of the first twelve days of a month it is 5 November; with one row 11/13/2026 it is 11 May. A day of 13 in first place changes nothing, since that was the guess.
# Why:   the sniffer takes the first format that fits every row of its sample, day first.
# So:    a file of a provider that writes month first is read rightly from the 13th of a month on, and before that every payment lies in another month, with no error. Give dateformat.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @duckdb/node-api@1.5.6-r.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { DuckDBInstance } from '@duckdb/node-api';
import { writeFileSync } from 'node:fs';

const db = await (await DuckDBInstance.create()).connect();
for (const last of ['06/11/2026', '13/11/2026', '11/13/2026']) {
  writeFileSync('payments.csv', `order,paid\nA-17,05/11/2026\nA-18,${last}\n`);
  const rows = (await db.runAndReadAll(`select typeof(paid), paid::varchar from read_csv('payments.csv')`)).getRowsJson();
  console.log(`05/11/2026 beside ${last}: ${rows.map(([type, date]) => `${type} ${date}`).join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
05/11/2026 beside 06/11/2026: DATE 2026-11-05, DATE 2026-11-06
05/11/2026 beside 13/11/2026: DATE 2026-11-05, DATE 2026-11-13
05/11/2026 beside 11/13/2026: DATE 2026-05-11, DATE 2026-11-13
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
