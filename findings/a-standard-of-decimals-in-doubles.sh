#!/usr/bin/env bash
# A decision table in DMN's language compares amounts as binary fractions, and orders texts among numbers.
# Ran on 2026-11-30: feelin 8.2.0, the FEEL of bpmn.io; Node 20.
# Guess: numbers are decimals, as the DMN standard has them (IEEE 754 decimal128), so 0.1 + 0.2 = 0.3; a text is no number, so comparing the two gives null.
# Seen:  19.99 * 100 = 1999 is false, and two ids beyond 2^53 are equal. The text "3" is less than 5 and within [1..5], yet no 41 equals "41"; and not(> 5) holds where there is no amount.
# Why:   numbers and the order of values are JavaScript's; only equality looks at the types.
# So:    one decision table gives two results in two engines of the same standard; a cell on an amount that arrives as a text works here and matches nothing elsewhere. Count in minor units, and as numbers.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent feelin@8.2.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { evaluate, unaryTest } from 'feelin';

for (const e of ['0.1 + 0.2 = 0.3', '19.99 * 100 = 1999', '1999 / 100 = 19.99', 'sum(0.1, 0.2) = 0.3', '9007199254740993 = 9007199254740992', '"3" < 5', '"30" > 5', '"3" in [1..5]']) {
  console.log(`expression  ${e}: ${evaluate(e).value}`);
}
for (const [cell, value] of [['< 5', '3'], ['> 5', '30'], ['[1..5]', '3'], ['41', '41'], ['not(> 5)', null]]) {
  console.log(`cell  ${cell}  for ${JSON.stringify(value)}: ${unaryTest(cell, { '?': value }).value}`);
}
JS
cat >expected.txt <<'TXT'
expression  0.1 + 0.2 = 0.3: false
expression  19.99 * 100 = 1999: false
expression  1999 / 100 = 19.99: true
expression  sum(0.1, 0.2) = 0.3: false
expression  9007199254740993 = 9007199254740992: true
expression  "3" < 5: true
expression  "30" > 5: true
expression  "3" in [1..5]: true
cell  < 5  for "3": true
cell  > 5  for "30": true
cell  [1..5]  for "3": true
cell  41  for "41": false
cell  not(> 5)  for null: true
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
