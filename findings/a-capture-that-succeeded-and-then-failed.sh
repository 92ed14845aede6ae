#!/usr/bin/env bash
# A callback hears of its capture twice: that it succeeded, and then that it failed.
# Ran on 2026-12-01: razorpay 2.9.8, omise 1.1.0 beside @mollie/api-client 4.6.0, nock 13.5.6, Node 20.
# Guess: a callback is called once; what it throws itself ends in the process's uncaughtException.
# Seen:  if the callback throws after a success, because its database is away, razorpay and omise call it again, with its own error and null: the capture is marked as failed, or made again, and the exception is seen nowhere else. mollie calls it once, and the process sees the exception.
# Why:   they call it within a then, with a catch behind it that calls it too.
# So:    the one moment in which a charge is made and not written down looks like a declined charge. Use the promise, or let no callback throw.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent razorpay@2.9.8 omise@1.1.0 @mollie/api-client@4.6.0 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const require = createRequire(import.meta.url);
const Razorpay = require('razorpay');
const omise = require('omise')({ secretKey: 'skey_test' });
const mollie = require('@mollie/api-client').createMollieClient({ apiKey: 'test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' });
nock.disableNetConnect();
let made = 0;
const answer = () => { made += 1; return [200, { id: 'pay_1', object: 'charge', resource: 'capture', status: 'captured' }]; };
nock(/razorpay|omise|mollie/).persist().post(/.*/).reply(answer);
let uncaught = 0;
process.on('uncaughtException', () => { uncaught += 1; });
process.on('unhandledRejection', () => { uncaught += 1; });
const clients = {
  razorpay: (callback) => new Razorpay({ key_id: 'key', key_secret: 'secret' }).payments.capture('pay_1', 1999, 'INR', callback),
  omise: (callback) => omise.charges.capture('chrg_1', callback),
  mollie: (callback) => mollie.paymentCaptures.create({ paymentId: 'tr_1', amount: { value: '19.99', currency: 'EUR' } }, callback),
};
for (const [name, capture] of Object.entries(clients)) {
  const heard = [];
  made = 0;
  uncaught = 0;
  capture((error, charge) => {
    heard.push(error ? `failed: ${error.message}` : `captured ${charge.id}`);
    if (heard.length === 1) throw new Error('the database is away');
  });
  await new Promise((next) => setTimeout(next, 500));
  console.log(`${name}: captures made ${made}; the callback hears ${heard.join(', then ')}; exceptions that the process sees: ${uncaught}`);
}
process.exit();
JS
cat >expected.txt <<'TXT'
razorpay: captures made 1; the callback hears captured pay_1, then failed: the database is away; exceptions that the process sees: 0
omise: captures made 1; the callback hears captured pay_1, then failed: the database is away; exceptions that the process sees: 0
mollie: captures made 1; the callback hears captured pay_1; exceptions that the process sees: 1
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
