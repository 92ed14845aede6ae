#!/usr/bin/env bash
# A refund in currency.js is a cent less than the charge it undoes.
# Ran on 2026-11-29: currency.js 2.0.4, beside big.js 7.0.1; Node 20.
# Guess: rounding is symmetric: currency(-x) is the negative of currency(x) for every x, as in big.js and in Go's decimals.
# Seen:  halves go towards plus infinity: 1.005 becomes 1.01 and -1.005 becomes -1.00. Turning the sign after rounding gives
#        another amount than rounding after turning it. A text with an exponent loses its "e": "1e3" is 13.
# Why:   it rounds with Math.round, and deletes every character of a text that is no digit, sign or point.
# So:    a fee of 2.5 % on 40.20 (1.005) charged and refunded line by line leaves a cent on the books for each. Round the
#        positive amount and turn the sign after. And String(0.0000001) is "1e-7": pass numbers, not texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent currency.js@2.0.4 big.js@7.0.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import currency from 'currency.js';
import Big from 'big.js';

for (const x of ['1.005', '8.345', '0.125']) {
  console.log(x, 'currency.js', currency(x).toString(), currency('-' + x).toString(),
    'sum', currency(x).add(currency('-' + x)).toString(),
    '| big.js', Big(x).toFixed(2), Big('-' + x).toFixed(2));
}
console.log('round, then negate', currency(1.005).multiply(-1).toString(), 'negate, then round', currency(-1.005).toString());
console.log('1e3 as number', currency(1e3).toString(), 'as text', currency('1e3').toString());
JS
cat >expected.txt <<'TXT'
1.005 currency.js 1.01 -1.00 sum 0.01 | big.js 1.01 -1.01
8.345 currency.js 8.35 -8.34 sum 0.01 | big.js 8.35 -8.35
0.125 currency.js 0.13 -0.12 sum 0.01 | big.js 0.13 -0.13
round, then negate -1.01 negate, then round -1.00
1e3 as number 1000.00 as text 13.00
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
