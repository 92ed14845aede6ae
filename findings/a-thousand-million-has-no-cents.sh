#!/usr/bin/env bash
# A spreadsheet engine gives an amount back with ten digits, before any formula has touched it.
# Ran on 2026-11-30: hyperformula 3.5.0; Node 20.
# Guess: a number that is put in a cell comes out as it went in; a double holds fifteen digits.
# Seen:  1234567890.12 comes out as 1234567890.1, 150000000001.25 as 150000000000, and 4111111111111111 as 4111111111100000.5, which is no rounding of it at all. precisionRounding: 14 keeps the first two.
# Why:   each value that is read is rounded to ten significant digits by default, by multiplying and dividing.
# So:    rupiah and dong amounts reach ten digits every day. Set precisionRounding, and keep ids as texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent hyperformula@3.5.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { HyperFormula } from 'hyperformula';

for (const value of [1234567890.12, 150000000001.25, 4111111111111111]) {
  const read = (options) => HyperFormula.buildFromArray([[value, '=A1+0']], { licenseKey: 'gpl-v3', ...options }).getSheetValues(0)[0].join(', with a formula ');
  console.log(`${value}: ${read({})}; with precisionRounding 14: ${read({ precisionRounding: 14 })}`);
}
JS
cat >expected.txt <<'TXT'
1234567890.12: 1234567890.1, with a formula 1234567890.1; with precisionRounding 14: 1234567890.12, with a formula 1234567890.12
150000000001.25: 150000000000, with a formula 150000000000; with precisionRounding 14: 150000000001.25, with a formula 150000000001.25
4111111111111111: 4111111111100000.5, with a formula 4111111111100000.5; with precisionRounding 14: 4111111111111110, with a formula 4111111111111110
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
