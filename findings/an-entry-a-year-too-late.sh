#!/usr/bin/env bash
# A bank statement at the turn of the year has an entry of next December.
# Ran on 2026-11-30: mt940js 1.3.5, mt940-js 1.0.0; Node 20.
# Guess: value date 2 January 2026 with entry date 1231 was entered on 31 December 2025; value date 31 December with entry date 0102 on the next 2 January.
# Seen:  both packages say 31 December 2026, and 2 January 2025: the two dates of one line lie nearly a year apart.
# Why:   the entry date of a :61: line has no year; both take that of the value date.
# So:    reconciliation within a window of days misses the payments of the last banking days of the year, and money that came in is looked for again. Take the year that brings both dates closest.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mt940js@1.3.5 mt940-js@1.0.0 tslib@2.9.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import mt940js from 'mt940js';
import mt940 from 'mt940-js';

const statement = `:20:STMT
:25:NL12BANK0123456789
:28C:1/1
:60F:C251231EUR1000,00
:61:2601021231C100,00NTRFREF1//B1
:86:first
:61:2512310102C50,00NTRFREF2//B2
:86:second
:62F:C260102EUR1150,00
-`;
const day = (d) => new Date(d).toISOString().slice(0, 10);
for (const t of new mt940js.Parser().parse(statement)[0].transactions) console.log('mt940js   value', day(t.date), 'entry', day(t.entryDate));
for (const t of (await mt940.read(Buffer.from(statement)))[0].transactions) console.log('mt940-js  value', day(t.valueDate), 'entry', day(t.entryDate));
JS
cat >expected.txt <<'TXT'
mt940js   value 2026-01-02 entry 2026-12-31
mt940js   value 2025-12-31 entry 2025-01-02
mt940-js  value 2026-01-02 entry 2026-12-31
mt940-js  value 2025-12-31 entry 2025-01-02
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
