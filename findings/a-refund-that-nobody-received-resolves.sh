#!/usr/bin/env bash
# A refund whose connection broke resolves, and one that was refused rejects with bytes.
# Ran on 2026-12-01: sslcommerz-lts 1.2.0, intasend-node 1.1.2, nock 13.5.6, Node 20.
# Guess: a client's promise rejects with an Error when no answer came, or a page instead of one.
# Seen:  sslcommerz-lts resolves in both cases, with an Error object as the answer; its field status is undefined, as that of an answer without one. intasend-node rejects with a text for a broken connection and with a Buffer for 400 and 502, so error.message and error.code are undefined and the status is nowhere.
# Why:   the one returns the error from its catch, the other rejects with what the socket gave.
# So:    await and try are no guard: a refund that nobody received is written down as sent unless the answer is looked at, and code that decides by error.code decides nothing. Check that the answer is no Error and has a status.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent sslcommerz-lts@1.2.0 intasend-node@1.1.2 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const require = createRequire(import.meta.url);
const IntaSend = require('intasend-node');
const SSLCommerz = require('sslcommerz-lts');
console.error = () => {};
const kind = (value) => (Buffer.isBuffer(value) ? 'a Buffer' : value instanceof Error ? `an Error ${value.name}` : typeof value === 'string' ? 'a text' : JSON.stringify(value));
const clients = {
  'sslcommerz-lts': () => new SSLCommerz('store', 'secret', false).initiateRefund({ refund_amount: 19.99, refund_remarks: 'x', bank_tran_id: '7', refe_id: '7' }),
  'intasend-node': () => new IntaSend('publishable', 'secret', true).refunds().create({ invoice: 'A-7', amount: 19.99, reason: 'x' }),
};
const answers = {
  'an answer': (interceptor) => interceptor.reply(200, { status: 'success' }),
  'a broken connection': (interceptor) => interceptor.replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })),
  'a 502 with a page': (interceptor) => interceptor.reply(502, '<html>bad gateway</html>'),
  'a 400 with JSON': (interceptor) => interceptor.reply(400, { error: 'amount' }),
};
nock.disableNetConnect();
for (const [name, refund] of Object.entries(clients)) {
  for (const [what, reply] of Object.entries(answers)) {
    nock.cleanAll();
    reply(nock(/sslcommerz|intasend/).post(/.*/));
    const seen = await refund().then((value) => `resolves with ${kind(value)}`, (error) => `rejects with ${kind(error)}, code ${error.code}`);
    console.log(`${name}, ${what}: ${seen}`);
  }
}
JS
cat >expected.txt <<'TXT'
sslcommerz-lts, an answer: resolves with {"status":"success"}
sslcommerz-lts, a broken connection: resolves with an Error FetchError
sslcommerz-lts, a 502 with a page: resolves with an Error FetchError
sslcommerz-lts, a 400 with JSON: resolves with {"error":"amount"}
intasend-node, an answer: resolves with {"status":"success"}
intasend-node, a broken connection: rejects with a text, code undefined
intasend-node, a 502 with a page: rejects with a Buffer, code undefined
intasend-node, a 400 with JSON: rejects with a Buffer, code undefined
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
