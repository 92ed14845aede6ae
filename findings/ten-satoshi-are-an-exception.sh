#!/usr/bin/env bash
# A validator of amounts throws a TypeError for ten satoshi.
# Ran on 2026-12-01: class-validator 0.15.1, Node 20.
# Guess: an amount of 0.0000001 with at most eight decimals is valid, and with at most two it is a validation error.
# Seen:  validate() throws a TypeError in both cases, which a framework answers with 500 instead of 201 or 400. 0.0000000155, which has ten decimals, is valid with at most eight.
# Why:   the decimals are counted in the number's text, behind its point; 1e-7 has none, and 1.55e-8 has the five characters 55e-8.
# So:    a payment of less than a hundred satoshi, or a rate of a small coin, is a 500 that monitors take for an outage and clients try again. Take amounts as texts, or in minor units with a maximum.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent class-validator@0.15.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const { IsNumber, validate } = createRequire(import.meta.url)('class-validator');
for (const maxDecimalPlaces of [2, 8]) {
  class Payment {}
  IsNumber({ maxDecimalPlaces })(Payment.prototype, 'amount');
  for (const amount of [19.99, 0.000001, 0.0000001, 0.0000000155]) {
    const payment = Object.assign(new Payment(), { amount });
    let seen;
    try {
      seen = (await validate(payment)).length ? 'a validation error' : 'valid';
    } catch (error) {
      seen = `throws a ${error.name}`;
    }
    console.log(`at most ${maxDecimalPlaces} decimals, ${amount.toFixed(10)}: ${seen}`);
  }
}
JS
cat >expected.txt <<'TXT'
at most 2 decimals, 19.9900000000: valid
at most 2 decimals, 0.0000010000: a validation error
at most 2 decimals, 0.0000001000: throws a TypeError
at most 2 decimals, 0.0000000155: a validation error
at most 8 decimals, 19.9900000000: valid
at most 8 decimals, 0.0000010000: valid
at most 8 decimals, 0.0000001000: throws a TypeError
at most 8 decimals, 0.0000000155: valid
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
