#!/usr/bin/env bash
# Half of 11.01 is 5.505, and half of 11 is 5.
# Ran on 2026-11-30: adaptive-expressions 4.23.3, Node 20.
# Guess: a division in a language whose numbers are JavaScript's gives 5.5.
# Seen:  11 / 2 is 5, 11.00 / 2.0 is 5, -11 / 2 is -6, 1050 / 100 is 10, and 3 / 100 of 11 is 0; 11.01 / 2 is 5.505. div() does the same.
# Why:   two whole numbers are divided like integers, rounded down; that a number was written as 11.00 cannot be seen any more.
# So:    a split, a fee in percent or cents to dollars is right for amounts with cents and wrong for whole ones, by up to one. Multiply by 0.5 or 0.03.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent adaptive-expressions@4.23.3
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const { Expression } = require('adaptive-expressions');

for (const [rule, amount] of [
  ['amount / 2', 11.01], ['amount / 2', 11], ['amount / 2.0', 11], ['div(amount, 2)', 11], ['amount / 2', -11], ['amount * 0.5', 11],
  ['amount / 100', 1050], ['amount / 100', 1050.5], ['3 / 100 * amount', 11], ['amount * 3 / 100', 11.01], ['amount * 3 / 100', 11], ['amount * 0.03', 11],
]) {
  const { value, error } = Expression.parse(rule).tryEvaluate({ amount });
  console.log(`${rule}, amount ${amount}: ${error ?? value}`);
}
JS
cat >expected.txt <<'TXT'
amount / 2, amount 11.01: 5.505
amount / 2, amount 11: 5
amount / 2.0, amount 11: 5
div(amount, 2), amount 11: 5
amount / 2, amount -11: -6
amount * 0.5, amount 11: 5.5
amount / 100, amount 1050: 10
amount / 100, amount 1050.5: 10.505
3 / 100 * amount, amount 11: 0
amount * 3 / 100, amount 11.01: 0.33030000000000004
amount * 3 / 100, amount 11: 0
amount * 0.03, amount 11: 0.32999999999999996
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
