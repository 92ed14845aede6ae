#!/usr/bin/env bash
# DuckDB's read_json gives idempotency keys back in lower case when all of them look like UUIDs.
# Ran on 2026-11-30: DuckDB by @duckdb/node-api 1.5.6-r.1; Node 20.
# Guess: a JSON string comes back as it was written; a detected type is a matter of storage.
# Seen:  the column is a UUID, its text is lower case, and the key that was sent is not found in it as text; one key of another form, and all stay as written.
#        read_csv of the same keys keeps them as text.
# Why:   read_json tries UUID on strings; a UUID has one printed form.
# So:    reconciliation by key, exported as text, matches nothing on days when every key is a UUID in capitals (as iOS makes them). Name the columns' types.
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

const keys = ['9F8E7D6C-0000-4000-8000-0123456789AB', '11111111-2222-4333-8444-ABCDEFABCDEF'];
const lines = (list) => list.map((key) => JSON.stringify({ key })).join('\n');
writeFileSync('uuids.ndjson', lines(keys));
writeFileSync('mixed.ndjson', lines([...keys, 'order-17']));
writeFileSync('uuids.csv', ['key', ...keys].join('\n'));
const db = await (await DuckDBInstance.create(':memory:')).connect();
for (const source of ["read_json('uuids.ndjson')", "read_json('mixed.ndjson')", "read_csv('uuids.csv')", "read_json('uuids.ndjson', columns = {key: 'VARCHAR'})"]) {
  const [row] = (await db.runAndReadAll(`select typeof(key) as type, min(key)::varchar as first, count(*) filter (where key::varchar = '${keys[0]}')::int as found from ${source} group by 1`)).getRowObjectsJson();
  console.log(source.padEnd(58), row.type.padEnd(8), row.first, '| found as text:', row.found);
}
JS
cat >expected.txt <<'TXT'
read_json('uuids.ndjson')                                  UUID     11111111-2222-4333-8444-abcdefabcdef | found as text: 0
read_json('mixed.ndjson')                                  VARCHAR  11111111-2222-4333-8444-ABCDEFABCDEF | found as text: 1
read_csv('uuids.csv')                                      VARCHAR  11111111-2222-4333-8444-ABCDEFABCDEF | found as text: 1
read_json('uuids.ndjson', columns = {key: 'VARCHAR'})      VARCHAR  11111111-2222-4333-8444-ABCDEFABCDEF | found as text: 1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
