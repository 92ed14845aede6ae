#!/usr/bin/env bash
# An amount plus a fee is ten billion, if the amount was sent with enough zeros.
# Ran on 2026-11-30: json-bigint 1.0.0; Node 20.
# Guess: a parser for large integers leaves small amounts alone: 1500000.00 and 1500000.00000000 are one number, and adding 2500 gives 1502500.
# Seen:  the second is an object, and 1500000.00000000 + 2500 is the text 15000002500; comparing with === finds no equal amount.
# Why:   each number that is written with more than 15 characters becomes a BigNumber, fractions too; its plus sign joins texts.
# So:    the type of a field depends on how many zeros the provider writes, for one payment and not the next. Convert amounts to one type where they are read.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent json-bigint@1.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import JSONbig from 'json-bigint';

for (const written of ['1500000', '1500000.00', '1500000.00000000', '1500000000000000']) {
  const { amount } = JSONbig.parse(`{"amount":${written}}`);
  console.log(`${written}: ${typeof amount}, plus 2500 is ${JSON.stringify(amount + 2500)}, === ${Number(written)}: ${amount === Number(written)}`);
}
JS
cat >expected.txt <<'TXT'
1500000: number, plus 2500 is 1502500, === 1500000: true
1500000.00: number, plus 2500 is 1502500, === 1500000: true
1500000.00000000: object, plus 2500 is "15000002500", === 1500000: false
1500000000000000: object, plus 2500 is "15000000000000002500", === 1500000000000000: false
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
