#!/usr/bin/env bash
# A refund and a second payment go out with the first payment's idempotency key.
# Ran on 2026-12-01: @adyen/api-library 32.1.0, nock 13.5.6, Node 20.
# Guess: a key that was given for one call is sent with that call, and the options of a call stay as they were.
# Seen:  with `common = { headers: {...} }` and the call of A-1 with { ...common, idempotencyKey: "k-1" }, the calls of A-2 and of a refund with { ...common } carry k-1 too. After the first call common.headers holds the API key, the user agent and the idempotency key.
# Why:   the client writes its headers into the object that it was given, and a spread copies that object by reference.
# So:    the provider answers A-2 with A-1's payment, or refuses it; and options that are logged show the API key. Give each call headers of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @adyen/api-library@32.1.0 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const { CheckoutAPI, Client, Config } = createRequire(import.meta.url)('@adyen/api-library');
nock.disableNetConnect();
nock(/adyen/).persist().post(/.*/).reply(200, function answer(uri, body) {
  console.log(`${uri.replace(/^\/v\d+/, '')} ${body.reference ?? ''}: sent with the key ${this.req.headers['idempotency-key'] ?? 'none'}`);
  return { pspReference: 'P-1', resultCode: 'Authorised' };
});
const checkout = new CheckoutAPI(new Client(new Config({ apiKey: 'secret', environment: 'TEST' })));
const amount = { currency: 'EUR', value: 1999 };
const payment = (reference) => ({ merchantAccount: 'Shop', reference, amount, returnUrl: 'https://shop.example', paymentMethod: { type: 'scheme' } });
const common = { headers: { 'x-shop': '7' } };
await checkout.PaymentsApi.payments(payment('A-1'), { ...common, idempotencyKey: 'k-1' });
await checkout.PaymentsApi.payments(payment('A-2'), { ...common });
await checkout.ModificationsApi.refundCapturedPayment('P-1', { merchantAccount: 'Shop', reference: 'refund of A-1', amount }, { ...common });
console.log(`common.headers: ${Object.keys(common.headers).map((name) => name.toLowerCase()).join(', ')}`);
await checkout.PaymentsApi.payments(payment('A-3'), { headers: { 'x-shop': '7' } });
JS
cat >expected.txt <<'TXT'
/payments A-1: sent with the key k-1
/payments A-2: sent with the key k-1
/payments/P-1/refunds refund of A-1: sent with the key k-1
common.headers: x-shop, x-api-key, content-type, idempotency-key, cache-control, accept-charset, user-agent, adyen-library-name, adyen-library-version
/payments A-3: sent with the key none
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
