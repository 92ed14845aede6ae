#!/usr/bin/env bash
# In jexl a property of a list is the property of its first element.
# Ran on 2026-11-30: jexl 2.3.0; Node 20.
# Guess: `refunds.status` of a list is undefined or a list of all; `code == 0` is false for an empty text.
# Seen:  it is the first refund's status; the others are not looked at. An empty code equals 0, and "0010" equals 10.
# Why:   an identifier after a list takes element 0 by design; == is JavaScript's.
# So:    `refunds.status == "failed"` asks about the oldest refund only, and `code == 0` takes an answer without a code for a success.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent jexl@2.3.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import jexl from 'jexl';

const facts = { empty: '', code: '0010', refunds: [{ status: 'failed', amount: 50 }, { status: 'paid', amount: 200 }] };
for (const text of ['refunds.status', 'refunds.status == "paid"', 'refunds[.status == "paid"].amount', 'empty == 0', 'code == 10', 'missing == 0']) {
  console.log(text.padEnd(36), JSON.stringify(jexl.evalSync(text, facts)));
}
JS
cat >expected.txt <<'TXT'
refunds.status                       "failed"
refunds.status == "paid"             false
refunds[.status == "paid"].amount    200
empty == 0                           true
code == 10                           true
missing == 0                         false
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
