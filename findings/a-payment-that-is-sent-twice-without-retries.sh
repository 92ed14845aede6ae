#!/usr/bin/env bash
# A payment is sent twice by a client that was given no retries.
# Ran on 2026-12-01: urllib 4.9.2, alipay-sdk 4.14.0 beside fetch of Node 20, undici 7.30.2 and axios 1.21.1.
# Guess: without an option for retries a POST whose connection breaks is sent once.
# Seen:  urllib sends it twice, whether the connection is reset or closed, and alipay-sdk, which uses it, sends its payment twice; the caller has one error. The other three send it once. A 503 is sent once by all.
# Why:   an option of its own for errors of sockets is 1 by default, and makes no difference between methods.
# So:    a gateway that died after it booked is asked again behind the caller's back: a provider without an idempotency key books twice, and a log of the client shows one call. Set socketErrorRetry to 0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent urllib@4.9.2 alipay-sdk@4.14.0 undici@7.30.2 axios@1.21.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import crypto from 'node:crypto';
import http from 'node:http';
import { AlipaySdk } from 'alipay-sdk';
import axios from 'axios';
import * as undici from 'undici';
import * as urllib from 'urllib';

let mode, sent;
const server = http.createServer((request, response) => {
  request.resume().on('end', () => {
    sent++;
    if (mode === 'reset') request.socket.resetAndDestroy();
    else if (mode === 'closed') request.socket.end();
    else response.writeHead(503).end('{}');
  });
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.once('listening', done); });
const at = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
const alipay = new AlipaySdk({ appId: '7', privateKey, gateway: `${at}/gateway.do`, endpoint: at });
const body = JSON.stringify({ order: 'A-7', amount: 1999 });
const clients = {
  urllib: () => urllib.request(`${at}/charge`, { method: 'POST', data: { order: 'A-7', amount: 1999 }, contentType: 'json' }),
  'urllib, socketErrorRetry 0': () => urllib.request(`${at}/charge`, { method: 'POST', content: body, socketErrorRetry: 0 }),
  'alipay-sdk': () => alipay.exec('alipay.trade.pay', { bizContent: { out_trade_no: 'A-7', total_amount: '19.99' } }),
  fetch: () => fetch(`${at}/charge`, { method: 'POST', body }),
  undici: () => undici.request(`${at}/charge`, { method: 'POST', body }),
  axios: () => axios.post(`${at}/charge`, body),
};
for (const [name, charge] of Object.entries(clients)) {
  const all = [];
  for (mode of ['reset', 'closed', '503']) {
    sent = 0;
    await charge().catch(() => {});
    all.push(`${mode}: ${sent}`);
  }
  console.log(`${name}: ${all.join(', ')}`);
}
process.exit();
JS
cat >expected.txt <<'TXT'
urllib: reset: 2, closed: 2, 503: 1
urllib, socketErrorRetry 0: reset: 1, closed: 1, 503: 1
alipay-sdk: reset: 2, closed: 2, 503: 1
fetch: reset: 1, closed: 1, 503: 1
undici: reset: 1, closed: 1, 503: 1
axios: reset: 1, closed: 1, 503: 1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
