#!/usr/bin/env bash
# A charge that is made with one merchant's client is made for another merchant of the same process.
# Ran on 2026-12-01: culqi-node 2.1.0, node-ccavenue 1.0.5, paymongo 1.3.2 beside omise 1.1.0, nock 13.5.6, Node 20.
# Guess: two clients with two keys charge for two merchants.
# Seen:  after `new Culqi` for shop B the client of shop A sends shop B's key, in charges and refunds alike: the money of A's customers goes to B, and A's refund is looked for at B. An order that node-ccavenue's object of shop A encrypts has B's merchant id and B's key. With paymongo it is the other way round: the second client has the first one's key. omise keeps them apart.
# Why:   culqi-node and node-ccavenue keep the key in the module, not in the object that is made; paymongo makes one object and gives it to whoever asks for another.
# So:    a platform with more than one merchant in a process pays the wrong one, from the second client on, and each test with one merchant is green. Make one process for each merchant, or test with two.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent culqi-node@2.1.0 node-ccavenue@1.0.5 paymongo@1.3.2 @babel/runtime@7.28.4 omise@1.1.0 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const require = createRequire(import.meta.url);
const { Configure } = require('node-ccavenue');
const Culqi = require('culqi-node');
const omise = require('omise');
const Paymongo = require('paymongo');
nock.disableNetConnect();
let key;
nock(/culqi|omise|paymongo/).persist().post(/.*/).reply(201, function answer() {
  key = this.req.headers.authorization;
  return { object: 'charge', id: 'chr_1' };
});
const make = (privateKey) => new (Culqi.default ?? Culqi)({ privateKey });
const shops = { A: make('sk_shop_A') };
const show = async (shop) => {
  const charge = await shops[shop].charges.createCharge({ amount: '1999', currency_code: 'PEN', email: 'a@example.org', source_id: 'tkn_1' });
  console.log(`culqi-node, a charge of shop ${shop}: ${charge.id}, sent with ${key}`);
  await shops[shop].refunds.createRefund({ amount: '1999', charge_id: 'chr_1', reason: 'solicitud_comprador' });
  console.log(`culqi-node, a refund of shop ${shop}: sent with ${key}`);
};
await show('A');
shops.B = make('sk_shop_B');
await show('A');
await show('B');

const first = new Configure({ merchant_id: 'shop_A', working_key: 'key_A' });
const alone = first.decrypt(first.getEncryptedOrder({ order_id: 'A-7' }));
const second = new Configure({ merchant_id: 'shop_B', working_key: 'key_B' });
console.log(`node-ccavenue, shop A alone: ${alone}; beside shop B: ${second.decrypt(first.getEncryptedOrder({ order_id: 'A-7' }))}`);

const [, b] = ['sk_shop_A', 'sk_shop_B'].map((secret) => new (Paymongo.default ?? Paymongo)(secret));
await b.refunds.create({ data: { attributes: { amount: 1999, payment_id: 'pay_1', reason: 'others' } } }).catch(() => {});
console.log(`paymongo, a refund of shop B beside shop A: sent with ${Buffer.from(key.split(' ')[1], 'base64')}`);

const [a] = ['skey_A', 'skey_B'].map((secretKey) => omise({ secretKey }));
await a.charges.create({ amount: 1999, currency: 'thb', card: 'tokn_1' });
console.log(`omise, a charge of shop A beside shop B: sent with ${Buffer.from(key.split(' ')[1], 'base64').toString()}`);
JS
cat >expected.txt <<'TXT'
culqi-node, a charge of shop A: chr_1, sent with Bearer sk_shop_A
culqi-node, a refund of shop A: sent with Bearer sk_shop_A
culqi-node, a charge of shop A: chr_1, sent with Bearer sk_shop_B
culqi-node, a refund of shop A: sent with Bearer sk_shop_B
culqi-node, a charge of shop B: chr_1, sent with Bearer sk_shop_B
culqi-node, a refund of shop B: sent with Bearer sk_shop_B
node-ccavenue, shop A alone: merchant_id=shop_A&order_id=A-7; beside shop B: merchant_id=shop_B&order_id=A-7
paymongo, a refund of shop B beside shop A: sent with sk_shop_A
omise, a charge of shop A beside shop B: sent with skey_A:
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
