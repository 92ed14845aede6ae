#!/usr/bin/env bash
# With cast_date csv-parse makes dates of order numbers.
# Ran on 2026-11-30: csv-parse 7.0.3; Node 20.
# Guess: cast_date turns what looks like an ISO date into a Date and leaves other text alone.
# Seen:  "ORDER 7" is 1 July 2001, "INV-12" is 1 December 2001, "PO 2024" is 1 January 2024; "ORDER 13" stays a text.
# Why:   whatever Date.parse accepts is a date, and V8 accepts words before a number.
# So:    in a settlement file a few of the ids turn into dates, and those rows match no payment. Cast by column.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent csv-parse@7.0.3
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { parse } from 'csv-parse/sync';

process.env.TZ = 'UTC';
const csv = ['order,when', 'ORDER 7,2024-03-01', 'ORDER 13,2024-03-01', 'INV-12,2024-03-01', 'PO 2024,2024-03-01', 'A77,2024-03-01'].join('\n');
for (const row of parse(csv, { columns: true, cast: true, cast_date: true })) {
  console.log(row.order instanceof Date ? `Date ${row.order.toISOString().slice(0, 10)}` : `text ${row.order}`);
}
JS
cat >expected.txt <<'TXT'
Date 2001-07-01
text ORDER 13
Date 2001-12-01
Date 2024-01-01
text A77
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
