#!/usr/bin/env bash
# mt940-js reads the reversal of a credit as a second credit, with the id of the first.
# Ran on 2026-11-30: mt940-js 1.0.0 beside mt940js 1.3.5; Node 20.
# Guess: in a bank statement RC (reversal of credit) takes money away, as in mt940js; two entries have two ids.
# Seen:  C and RC both give isCredit true and amount 100, D and RD both isCredit false, and each pair has one id.
# Why:   a C as first or second letter of the mark makes a credit, and the R is kept nowhere; the id is a hash of the entry before its description is read.
# So:    a payment that the bank took back counts twice in reconciliation, or is dropped as a duplicate by its id. (It also needs tslib, which it does not name.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mt940-js@1.0.0 tslib@2.9.1 mt940js@1.3.5
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const one = require('mt940-js'), other = require('mt940js');

const statement = [':20:S1', ':25:NL81ASNB9999999999', ':28C:1/1', ':60F:C240101EUR1000,00',
  ':61:2401020102C100,00NTRFORDER-1', ':86:paid', ':61:2401020102RC100,00NTRFORDER-1', ':86:taken back',
  ':61:2401020102D40,00NTRFREF-2', ':86:refund', ':61:2401020102RD40,00NTRFREF-2', ':86:refund came back', ':62F:C240102EUR1000,00', '-', ''].join('\r\n');
const [read] = await one.read(Buffer.from(statement));
for (const t of read.transactions) console.log('mt940-js', t.isCredit ? 'credit' : 'debit ', t.amount, t.description.padEnd(16), t.id.slice(0, 8));
for (const t of new other.Parser().parse(statement)[0].transactions) console.log('mt940js ', String(t.amount).padStart(4), t.details);
JS
cat >expected.txt <<'TXT'
mt940-js credit 100 paid             27001f2a
mt940-js credit 100 taken back       27001f2a
mt940-js debit  40 refund           29fba569
mt940-js debit  40 refund came back 29fba569
mt940js   100 paid
mt940js  -100 taken back
mt940js   -40 refund
mt940js    40 refund came back
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
