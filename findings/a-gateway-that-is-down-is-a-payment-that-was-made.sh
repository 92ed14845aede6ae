#!/usr/bin/env bash
# A payment that a gateway refused with 503, 429, 401 or 404 is a promise that resolves.
# Ran on 2026-11-30: stripe 23.1.0 of npm, Node 20.
# Guess: an answer with a status of 400 or more makes stripe's client throw, whatever its body is.
# Seen:  if the body is JSON without a field `error`, as the gateways of clouds, API gateways and company proxies write it, paymentIntents.create and refunds.create resolve, for 500 and 503 after two tries more; the payment has neither id nor status. An HTML body, or a JSON body with `error`, throws.
# Why:   the client looks for the field `error`, and not at the status.
# So:    `await refund(); markRefunded()` marks what was never sent on. Check that the answer has an id and a status, or read lastResponse.statusCode.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent stripe@23.1.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import Stripe from 'stripe';

let status = 0;
let body = '';
let tries = 0;
const server = http.createServer((q, a) => {
  tries += 1;
  q.resume();
  q.on('end', () => a.writeHead(status, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' }).end(body));
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.on('listening', done); });
const stripe = new Stripe('sk_test_probe', { host: '127.0.0.1', port: server.address().port, protocol: 'http' });
const answers = [[503, '{"message":"Service Unavailable"}'], [500, '{}'], [429, '{"message":"Too Many Requests"}'], [404, '{"message":"no Route matched with those values"}'], [401, '{"message":"Unauthorized"}'], [503, '<html></html>'], [503, '{"error":{"message":"unavailable"}}']];
for ([status, body] of answers) {
  const said = [];
  for (const [name, call] of [['payment', () => stripe.paymentIntents.create({ amount: 1999, currency: 'usd' })], ['refund', () => stripe.refunds.create({ payment_intent: 'pi_1' })]]) {
    tries = 0;
    said.push(await call().then((r) => `${name} resolves after ${tries}, id ${r.id}`, (e) => `${name} throws ${e.type} after ${tries}`));
  }
  console.log(`${status} ${body}: ${said.join('; ')}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
503 {"message":"Service Unavailable"}: payment resolves after 3, id undefined; refund resolves after 3, id undefined
500 {}: payment resolves after 3, id undefined; refund resolves after 3, id undefined
429 {"message":"Too Many Requests"}: payment resolves after 1, id undefined; refund resolves after 1, id undefined
404 {"message":"no Route matched with those values"}: payment resolves after 1, id undefined; refund resolves after 1, id undefined
401 {"message":"Unauthorized"}: payment resolves after 1, id undefined; refund resolves after 1, id undefined
503 <html></html>: payment throws StripeAPIError after 3; refund throws StripeAPIError after 3
503 {"error":{"message":"unavailable"}}: payment throws StripeAPIError after 3; refund throws StripeAPIError after 3
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
