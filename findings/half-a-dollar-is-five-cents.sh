#!/usr/bin/env bash
# money-math takes "1.5" for 15 cents.
# Ran on 2026-11-30: money-math 2.6.3; Node 20.
# Guess: add("1.5", "2") is "3.50", or an error because a digit is missing.
# Seen:  "0.17". cmp says that 1.5 is less than 1.25. Only amounts with exactly two decimals are read rightly.
# Why:   the point is deleted and the rest is read as cents, however many digits follow it.
# So:    an amount that a JSON number or a database prints without its last zero becomes a tenth or a hundredth of it, without an error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent money-math@2.6.3
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import money from 'money-math';

for (const [a, b] of [['1.50', '2.00'], ['1.5', '2'], ['1.5', '2.00'], ['12.345', '0.00']]) console.log(`${a} + ${b} =`, money.add(a, b));
console.log('1.5 against 1.25:', Number(money.cmp('1.5', '1.25')) < 0 ? 'less' : 'more');
console.log('100 as a database prints it, with 8.25 %:', money.percent('100', '8.25'));
JS
cat >expected.txt <<'TXT'
1.50 + 2.00 = 3.50
1.5 + 2 = 0.17
1.5 + 2.00 = 2.15
12.345 + 0.00 = 123.45
1.5 against 1.25: less
100 as a database prints it, with 8.25 %: 0.08
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
