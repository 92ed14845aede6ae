#!/usr/bin/env bash
# A price of $8.20 asks for 8199999.999999999 units of a coin, which no payer can send, and "1e3" dollars are 13.
# Ran on 2026-12-01: x402 1.2.0 beside @x402/core 2.27.0, Node 20.
# Guess: the package that states a price for payments over HTTP turns each price with cents into whole units of a coin with six decimals, or refuses it.
# Seen:  of the prices from 0.01 to 100.00 dollars 295 become a number with a fraction, which BigInt refuses: 8.20 is 8199999.999999999. "1e3" is 13 dollars and "€5" is 5. The core package of its successor has 8200000, and refuses the last two.
# Why:   the price is multiplied by 10 ** 6 in floating point and written as text; of a text all but digits, points and signs is deleted.
# So:    the page behind a price of 8.20 cannot be bought, one of 8.21 can, and a test with round prices shows neither. Give the amount in units of the coin.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent x402@1.2.0 @x402/core@2.27.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { processPriceToAtomicAmount } = require('x402/shared');
const { convertToTokenAmount, parseMoney } = require('@x402/core/utils');
const whole = (text) => { try { return BigInt(text) > 0n; } catch { return false; } };
const old = (price) => { const { error, maxAmountRequired } = processPriceToAtomicAmount(price, 'base'); return error ? 'refused' : maxAmountRequired; };
const core = (price) => { try { return convertToTokenAmount(parseMoney(price).amount, 6); } catch { return 'refused'; } };
for (const price of ['$19.99', '$8.20', 8.2, '$1.005', '$1,500.00', '1e3', '€5']) {
  console.log(`${typeof price} ${price}: x402 ${old(price)}, a whole number: ${whole(old(price))}; @x402/core ${core(price)}`);
}
const prices = Array.from({ length: 10000 }, (_, cent) => (cent + 1) / 100);
console.log(`of 10000 prices from 0.01 to 100.00 are no whole number: x402 ${prices.filter((price) => !whole(old(price))).length}, @x402/core ${prices.filter((price) => !whole(core(price))).length}`);
JS
cat >expected.txt <<'TXT'
string $19.99: x402 19990000, a whole number: true; @x402/core 19990000
string $8.20: x402 8199999.999999999, a whole number: false; @x402/core 8200000
number 8.2: x402 8199999.999999999, a whole number: false; @x402/core 8200000
string $1.005: x402 1004999.9999999999, a whole number: false; @x402/core 1005000
string $1,500.00: x402 1500000000, a whole number: true; @x402/core refused
string 1e3: x402 13000000, a whole number: true; @x402/core refused
string €5: x402 5000000, a whole number: true; @x402/core refused
of 10000 prices from 0.01 to 100.00 are no whole number: x402 295, @x402/core 0
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
