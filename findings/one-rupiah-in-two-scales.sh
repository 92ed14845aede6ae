#!/usr/bin/env bash
# Intl says that the rupiah has no decimals; the list of ISO 4217 says two.
# Ran on 2026-11-30: Intl of Node 20.20.2 (ICU 78.2) beside currency-codes 2.2.0 and dinero.js 2.0.2.
# Guess: Intl.NumberFormat's fraction digits of a currency are ISO 4217's minor unit, as ECMA-402 has them; a common recipe computes an amount in minor units with them.
# Seen:  of these currencies IDR, PKR, LAK, MMK and HUF have 0 in Intl and 2 in ISO, IQD 0 and 3. dinero.js has ISO's, save MGA and MRU, whose minor unit is a fifth: 1 there and 2 in ISO.
# Why:   the engine takes the digits from CLDR, which says what is written in shops.
# So:    10 ** digits turns 15,000 rupiah into 15000 in the browser and into 1500000 on a server that has ISO's table: a hundredth, or a hundred times the amount. Keep the table that the provider documents.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent currency-codes@2.2.0 dinero.js@2.0.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import codes from 'currency-codes';
import * as dinero from 'dinero.js';
import { createRequire } from 'node:module';

const table = dinero.IDR ? dinero : createRequire(import.meta.url)('dinero.js/currencies');
for (const code of ['USD', 'JPY', 'VND', 'KWD', 'TWD', 'IDR', 'PKR', 'LAK', 'MMK', 'HUF', 'IQD', 'MGA', 'MRU', 'CLF']) {
  const { maximumFractionDigits: intl } = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions();
  const iso = codes.code(code).digits;
  console.log(`${code}: Intl ${intl}, ISO ${iso}, dinero ${table[code].exponent}${intl === iso ? '' : '; 15,000 are ' + 15000 * 10 ** intl + ' or ' + 15000 * 10 ** iso}`);
}
JS
cat >expected.txt <<'TXT'
USD: Intl 2, ISO 2, dinero 2
JPY: Intl 0, ISO 0, dinero 0
VND: Intl 0, ISO 0, dinero 0
KWD: Intl 3, ISO 3, dinero 3
TWD: Intl 2, ISO 2, dinero 2
IDR: Intl 0, ISO 2, dinero 2; 15,000 are 15000 or 1500000
PKR: Intl 0, ISO 2, dinero 2; 15,000 are 15000 or 1500000
LAK: Intl 0, ISO 2, dinero 2; 15,000 are 15000 or 1500000
MMK: Intl 0, ISO 2, dinero 2; 15,000 are 15000 or 1500000
HUF: Intl 0, ISO 2, dinero 2; 15,000 are 15000 or 1500000
IQD: Intl 0, ISO 3, dinero 3; 15,000 are 15000 or 15000000
MGA: Intl 0, ISO 2, dinero 1; 15,000 are 15000 or 1500000
MRU: Intl 2, ISO 2, dinero 1
CLF: Intl 4, ISO 4, dinero 4
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
