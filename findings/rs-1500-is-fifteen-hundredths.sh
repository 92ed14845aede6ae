#!/usr/bin/env bash
# "Rs. 1500" is fifteen hundredths of a rupee.
# Ran on 2026-11-30: accounting 0.4.1, currency.js 2.0.4, currency-formatter 1.5.9, numeral 2.0.6 beside numbro 2.5.0 and parse-decimal-number 1.0.0, Node 20.
# Guess: a function that reads an amount with its currency's sign gives 1500, or no number.
# Seen:  "Rs. 1500", "Rp. 1500", "kr. 20" and "Fr. 20" are 0.15, 0.15, 0.2 and 0.2 for the first four; without the point they are right. Of "Rs.1500.50" accounting and currency-formatter make 0.15. numbro and parse-decimal-number give no number.
# Why:   all but digits, minus and the decimal point is deleted, and the point of the abbreviation is taken for the decimal point.
# So:    an amount passes each check for "a number above 0" and is paid as a fraction of itself. Cut the sign off first, or read amounts with a pattern for the whole text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent accounting@0.4.1 currency.js@2.0.4 currency-formatter@1.5.9 numeral@2.0.6 numbro@2.5.0 parse-decimal-number@1.0.0
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const accounting = require('accounting');
const currency = require('currency.js');
const formatter = require('currency-formatter');
const numbro = require('numbro');
const numeral = require('numeral');
const parseDecimal = require('parse-decimal-number');

const readers = {
  accounting: (s) => accounting.unformat(s),
  'currency.js': (s) => currency(s).value,
  'currency-formatter': (s) => formatter.unformat(s, { code: 'INR' }),
  numeral: (s) => numeral(s).value(),
  numbro: (s) => numbro.unformat(s),
  'parse-decimal-number': (s) => parseDecimal(s),
};
for (const [name, read] of Object.entries(readers)) {
  console.log(`${name}: ${['Rs 1500', 'Rs. 1500', 'Rp. 1500', 'kr. 20', 'Fr. 20', 'Rs.1500.50'].map((s) => `${s} is ${read(s) ?? 'no number'}`).join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
accounting: Rs 1500 is 1500, Rs. 1500 is 0.15, Rp. 1500 is 0.15, kr. 20 is 0.2, Fr. 20 is 0.2, Rs.1500.50 is 0.15
currency.js: Rs 1500 is 1500, Rs. 1500 is 0.15, Rp. 1500 is 0.15, kr. 20 is 0.2, Fr. 20 is 0.2, Rs.1500.50 is NaN
currency-formatter: Rs 1500 is 1500, Rs. 1500 is 0.15, Rp. 1500 is 0.15, kr. 20 is 0.2, Fr. 20 is 0.2, Rs.1500.50 is 0.15
numeral: Rs 1500 is 1500, Rs. 1500 is 0.15, Rp. 1500 is 0.15, kr. 20 is 0.2, Fr. 20 is 0.2, Rs.1500.50 is NaN
numbro: Rs 1500 is no number, Rs. 1500 is no number, Rp. 1500 is no number, kr. 20 is no number, Fr. 20 is no number, Rs.1500.50 is no number
parse-decimal-number: Rs 1500 is NaN, Rs. 1500 is NaN, Rp. 1500 is NaN, kr. 20 is NaN, Fr. 20 is NaN, Rs.1500.50 is NaN
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
