#!/usr/bin/env bash
# One call of a payment provider's own client is three charges, if the provider's gateway answers 503.
# Ran on 2026-11-30: dodopayments 2.52.0, @payabli/sdk-node 0.0.114, lithic 0.145.0, @straddlecom/straddle 0.3.0, @whop/sdk 0.0.42 beside modern-treasury 3.3.0, stripe 23.1.0 and @payos/node 2.0.5 (payouts), their default settings; Node 20.
# Guess: a provider's client repeats the request that makes a payment only with an idempotency key, which it makes itself if the caller gave none.
# Seen:  stripe, modern-treasury and payOS payouts send one key with all their tries. dodopayments, Payabli, Lithic, Straddle and Whop send the same charge three times, within two seconds or so, without any key.
# Why:   such clients are generated from an API description by two generators, whose retries cover each method; a key is sent only where the description names a header for it.
# So:    a policy engine around the client sees one attempt and one error. Set maxRetries to 0 for calls that move money, or pass the provider's key (where it has one) with each call.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent dodopayments@2.52.0 @payabli/sdk-node@0.0.114 lithic@0.145.0 @straddlecom/straddle@0.3.0 @whop/sdk@0.0.42 modern-treasury@3.3.0 stripe@23.1.0 @payos/node@2.0.5
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import Straddle from '@straddlecom/straddle';
import DodoPayments from 'dodopayments';
import Lithic from 'lithic';
import ModernTreasury from 'modern-treasury';
import { PayabliClient } from '@payabli/sdk-node';
import { PayOS } from '@payos/node';
import Stripe from 'stripe';
import Whop from '@whop/sdk';

let calls = [];
const server = http.createServer((q, a) => {
  let body = '';
  q.on('data', (part) => { body += part; });
  q.on('end', () => {
    const keys = Object.entries(q.headers).filter(([name]) => name.includes('idempotency')).map(([, value]) => value);
    calls.push({ request: `${q.method} ${q.url} ${body}`, keys: keys.join() });
    a.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"unavailable"}}');
  });
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.on('listening', done); });
const { port } = server.address();
const baseURL = `http://127.0.0.1:${port}`;
const apiKey = 'probe';
const charges = {
  dodopayments: () => new DodoPayments({ bearerToken: apiKey, baseURL }).subscriptions.charge('sub_1', { product_price: 1999 }),
  payabli: () => new PayabliClient({ apiKey, environment: baseURL }).moneyIn.getpaid({ body: { entryPoint: 'shop', paymentDetails: { totalAmount: 19.99 }, paymentMethod: { method: 'card', cardnumber: '4111111111111111', cardexp: '12/29', initiator: 'payor' } } }),
  lithic: () => new Lithic({ apiKey, baseURL }).payments.create({ amount: 1999, external_bank_account_token: 'a', financial_account_token: 'b', method: 'ACH_NEXT_DAY', method_attributes: { sec_code: 'WEB' }, type: 'COLLECTION' }),
  straddle: () => new Straddle({ apiKey, baseURL }).charges.create({ amount: 1999, config: {}, consent_type: 'internet', currency: 'USD', description: 'order 17', device: { ip_address: '192.0.2.1' }, external_id: 'order-17', paykey: 'key', payment_date: '2026-11-30' }),
  whop: () => new Whop({ apiKey, baseURL }).payments.create({ company_id: 'c', member_id: 'm', payment_method_id: 'p', plan_id: 'p' }),
  'modern-treasury': () => new ModernTreasury({ apiKey, organizationID: 'o', baseURL }).paymentOrders.create({ amount: 1999, direction: 'debit', originating_account_id: 'a', type: 'ach' }),
  stripe: () => new Stripe('sk_test_probe', { host: '127.0.0.1', port, protocol: 'http' }).paymentIntents.create({ amount: 1999, currency: 'usd' }),
  'payos payout': () => new PayOS({ clientId: 'a', apiKey: 'b', checksumKey: 'c', baseURL }).payouts.create({ referenceId: 'r', amount: 2000, description: 'd', toBin: '970422', toAccountNumber: '1' }),
};
for (const [name, charge] of Object.entries(charges)) {
  calls = [];
  const error = await charge().then(() => 'none', () => 'one');
  const keys = new Set(calls.map((c) => c.keys));
  const same = new Set(calls.map((c) => c.request)).size === 1;
  console.log(`${name}: ${calls.length} requests${same ? ', all the same' : ''}, ${keys.has('') ? 'no idempotency key' : `idempotency keys ${keys.size}`}, errors for the caller: ${error}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
dodopayments: 3 requests, all the same, no idempotency key, errors for the caller: one
payabli: 3 requests, all the same, no idempotency key, errors for the caller: one
lithic: 3 requests, all the same, no idempotency key, errors for the caller: one
straddle: 3 requests, all the same, no idempotency key, errors for the caller: one
whop: 3 requests, all the same, no idempotency key, errors for the caller: one
modern-treasury: 3 requests, all the same, idempotency keys 1, errors for the caller: one
stripe: 3 requests, all the same, idempotency keys 1, errors for the caller: one
payos payout: 3 requests, all the same, idempotency keys 1, errors for the caller: one
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
