#!/usr/bin/env bash
# A payment file orders a hundredth of a sum in yen, and ten times a sum in dinars.
# Ran on 2026-11-30: iso20022.js 0.0.15; Node 20.
# Guess: an amount in minor units is written with the currency's own decimals: 1500 JPY is 1500, 1500 fils are 1.500 KWD, or the currency is refused.
# Seen:  every currency is divided by 100: 1500 yen become 15, 150000 dong become 1500, 1.5 dinars become 15.
# Why:   the amounts are made with a scale of two, whichever currency is named.
# So:    the file is valid and the bank pays it. Compare a produced file's sums with one's own books before it is handed in; scale by ISO 4217.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent iso20022.js@0.0.15
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { ISO20022 } from 'iso20022.js';

const agent = { bic: 'DEUTDEFF500', bankAddress: { country: 'DE' } };
const iso = new ISO20022({ initiatingParty: { name: 'Shop', id: 'S1', account: { accountNumber: '1', currency: 'USD' }, agent } });
for (const [currency, amount, asked] of [['EUR', 1999, '19.99'], ['JPY', 1500, '1500'], ['VND', 150000, '150000'], ['KWD', 1500, '1.500']]) {
  const file = iso.createSWIFTCreditPaymentInitiation([{ type: 'swift', direction: 'credit', amount, currency, creditor: { name: 'X', account: { accountNumber: '12' }, agent, address: { country: 'DE' } } }]);
  console.log(`${amount} minor units of ${currency} (${asked}):`, /<InstdAmt[^>]*>[^<]*/.exec(file.serialize())[0]);
}
JS
cat >expected.txt <<'TXT'
1999 minor units of EUR (19.99): <InstdAmt Ccy="EUR">19.99
1500 minor units of JPY (1500): <InstdAmt Ccy="JPY">15
150000 minor units of VND (150000): <InstdAmt Ccy="VND">1500
1500 minor units of KWD (1.500): <InstdAmt Ccy="KWD">15
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
