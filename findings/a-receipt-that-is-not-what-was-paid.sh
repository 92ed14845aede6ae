#!/usr/bin/env bash
# A payment and its own receipt, both made from 19.99, are two amounts, and both are below it.
# Ran on 2026-12-01: @jfkz/tinkoff-payment-sdk 2.0.0-0, Node 20.
# Guess: a provider's client that takes amounts in roubles sends 19.99 as 1999 kopecks, and the receipt's lines add up to the payment.
# Seen:  19.99 is sent as 1998, and the answer is read as 19.98. Three pieces of 19.99 are 5994 in the receipt beside 5997 in the payment, two of 4.35 are 868 beside 869. The card of an answer that is good until 1230, as the provider writes December 2030, is good until the year -1970.
# Why:   the product with 100 is 1998.9999999999998, and floor cuts it; of the year two digits 2000 is subtracted.
# So:    each such payment is a kopeck short of its order, and a receipt that does not add up to its payment is one that a provider, or a tax office, may refuse. Compare what is sent with the order before it goes out.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @jfkz/tinkoff-payment-sdk@2.0.0-0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { ApiManager, PayType } = require('@jfkz/tinkoff-payment-sdk');

let sent;
const httpClient = {
  async sendRequest({ payload }) {
    sent = payload;
    return { status: 200, payload: { Success: true, ErrorCode: '0', TerminalKey: 'shop', Status: 'NEW', PaymentId: '1', OrderId: payload.OrderId, Amount: payload.Amount, ExpDate: '1230' } };
  },
};
const manager = new ApiManager({ httpClient, terminalKey: 'shop', password: 'secret' });
for (const [price, quantity, amount] of [[19.99, 1, 19.99], [19.99, 3, 59.97], [4.35, 2, 8.7], [20, 1, 20]]) {
  const answer = await manager.initPayment({
    OrderId: 'A-7', Amount: amount, PayType: PayType.SingleStage,
    Receipt: { Taxation: 'osn', Email: 'a@example.org', Items: [{ Name: 'tea', Price: price, Quantity: quantity, Tax: 'vat20' }] },
  });
  console.log(`${quantity} times ${price} = ${amount}: payment ${sent.Amount}, receipt ${sent.Receipt.Items[0].Amount}; read back ${answer.Amount}, card good until ${answer.ExpDate?.getFullYear?.()}`);
}
JS
cat >expected.txt <<'TXT'
1 times 19.99 = 19.99: payment 1998, receipt 1998; read back 19.98, card good until -1970
3 times 19.99 = 59.97: payment 5997, receipt 5994; read back 59.97, card good until -1970
2 times 4.35 = 8.7: payment 869, receipt 868; read back 8.69, card good until -1970
1 times 20 = 20: payment 2000, receipt 2000; read back 20, card good until -1970
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
