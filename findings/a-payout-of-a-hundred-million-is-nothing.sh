#!/usr/bin/env bash
# An entry of a hundred million dollars is written into the bank's file as nothing, and its batch total as it was.
# Ran on 2026-12-01: @midlandsbank/node-nacha 0.4.0, Node 20.
# Guess: an amount that does not fit the ten digits of an entry, or is no whole number of cents, is refused.
# Seen:  10,000,000,000 cents are written as 0000000000 in the entry and as 010000000000 in the batch's total; 12,345,678,901 as 2345678901. 19.99 is 0000019.99, -500 is 000000-500, "1,500" is 000001,500. There is no error.
# Why:   a number field is filled with zeros on its left and cut there, and what stands in it is not looked at.
# So:    the file has its 94 characters a line and its hash is right, and the bank refuses it, or pays an entry of other digits than the total's. Check each amount before: a whole number from 0 to 9,999,999,999.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @midlandsbank/node-nacha@0.4.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import nacha from '@midlandsbank/node-nacha';

for (const amount of [12345, 9999999999, 10000000000, 12345678901, 19.99, -500, '1,500']) {
  const object = nacha.create({ from: { name: 'Shop', fein: '123456789' }, for: { name: 'Bank', routing: '123456789' } })
    .ccd({ effectiveDate: '261201', description: 'Payout', note: 'x', date: 'Dec 1' })
    .credit({ name: 'Payee', account: { num: '135792468', type: 'C' }, routing: '987654321', amount, addenda: 'x' });
  let seen;
  try {
    const lines = String(nacha.from(object).to('ach')).split('\n');
    const entry = lines.find((line) => line[0] === '6');
    const batch = lines.find((line) => line[0] === '8');
    seen = `entry ${entry.slice(29, 39)}, batch total ${batch.slice(32, 44)}, ${entry.length} characters`;
  } catch (error) {
    seen = `refused: ${error.message}`;
  }
  console.log(`${typeof amount} ${amount}: ${seen}`);
}
JS
cat >expected.txt <<'TXT'
number 12345: entry 0000012345, batch total 000000012345, 94 characters
number 9999999999: entry 9999999999, batch total 009999999999, 94 characters
number 10000000000: entry 0000000000, batch total 010000000000, 94 characters
number 12345678901: entry 2345678901, batch total 012345678901, 94 characters
number 19.99: entry 0000019.99, batch total 000000019.99, 94 characters
number -500: entry 000000-500, batch total 00000000-500, 94 characters
string 1,500: entry 000001,500, batch total 00000001,500, 94 characters
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
