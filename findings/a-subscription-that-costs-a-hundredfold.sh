#!/usr/bin/env bash
# A subscription that is changed to 19.99 costs 1,999.00 from the next month on.
# Ran on 2026-12-01: cielo 2.4.4, nock 13.5.6, Node 20.
# Guess: the new amount of a subscription is sent in cents as it is given, as its manual says and as a charge is.
# Seen:  a charge of 1999 is sent as 1999, modifyAmount of 1999 as 199900, though the manual says of its example that 156 is R$ 1.56. Who gives reais to make up for it sends 1998.9999999999998 for 19.99.
# Why:   the call multiplies by 100 and writes the product as text; no other call does.
# So:    the first bill after a change of the price is a hundred times too high, and no line of the caller's code is wrong. Read the subscription after each change.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent cielo@2.4.4 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const { Cielo } = createRequire(import.meta.url)('cielo');
const cielo = new Cielo({ merchantId: 'shop', merchantKey: 'key', sandbox: true });
nock.disableNetConnect();
let sent;
nock(/cielo/).persist().post(/.*/, (body) => { sent = body; return true; }).reply(201, { Payment: {} });
nock(/cielo/).persist().put(/.*/, (body) => { sent = body; return true; }).reply(200, {});
await cielo.creditCard.transaction({
  merchantOrderId: 'A-7', customer: { name: 'Ann' },
  payment: { type: 'CreditCard', amount: 1999, installments: 1, creditCard: { cardNumber: '4111111111111111', holder: 'Ann', expirationDate: '12/2030', securityCode: '123', brand: 'Visa' } },
});
console.log(`a charge of 1999: ${JSON.stringify(sent.Payment?.Amount ?? sent.payment?.amount)} is sent`);
for (const amount of [1999, 156, 19.99, 8.2]) {
  sent = undefined;
  await cielo.recurrent.modifyAmount({ paymentId: 'r-1', amount }).catch(() => {});
  console.log(`a subscription is changed to ${amount}: ${JSON.stringify(sent)} is sent`);
}
JS
cat >expected.txt <<'TXT'
a charge of 1999: 1999 is sent
a subscription is changed to 1999: "199900" is sent
a subscription is changed to 156: "15600" is sent
a subscription is changed to 19.99: "1998.9999999999998" is sent
a subscription is changed to 8.2: "819.9999999999999" is sent
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
