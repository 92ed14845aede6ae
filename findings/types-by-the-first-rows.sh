#!/usr/bin/env bash
# uDSV decides by the first rows that order numbers are numbers, and then loses those that are not.
# Ran on 2026-11-30: uDSV 0.7.3; Node 20.
# Guess: a value that does not fit the guessed type keeps its text, or ends with an error.
# Seen:  "0012" is 12, "A77" is null, "0x10" is 16, an id over 2^53 is another id; no error, no count.
# Why:   inferSchema looks at the first rows only, and typed rows are made with the unary plus (NaN becomes null).
# So:    a settlement file that begins with numeric orders loses its first order with a letter. Set the column's type to text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent udsv@0.7.3
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { inferSchema, initParser } from 'udsv';

const rows = Array.from({ length: 30 }, (_, i) => `${100 + i},${i}`);
const csv = ['order,code', ...rows, '0012,0010', 'A77,0x10', '9007199254740993,99'].join('\n');
const schema = inferSchema(csv);
for (const row of initParser(schema).typedArrs(csv).slice(-3)) console.log(JSON.stringify(row));
for (const c of schema.cols) c.type = 's';
for (const row of initParser(schema).typedArrs(csv).slice(-3)) console.log('as text', JSON.stringify(row));
JS
cat >expected.txt <<'TXT'
[12,10]
[null,16]
[9007199254740992,99]
as text ["0012","0010"]
as text ["A77","0x10"]
as text ["9007199254740993","99"]
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
