#!/usr/bin/env bash
# A card that was declined is charged eleven times by a middleware for retries.
# Ran on 2026-11-30: wretch 2.11.1 beside ofetch 1.5.1, fetch-retry 6.0.0, @vercel/fetch-retry 5.1.3, requestretry 8.0.0, xior 0.8.5, Node 20; only their pauses are set.
# Guess: a wrapper for retries repeats what may pass: no answer, 429, 5xx. An answer 402 or 422 to a POST is final.
# Seen:  wretch's retry() sends a POST that was answered 402, 400 or 422 eleven times, and one whose connection broke once. The others send it once.
# Why:   its default condition for the end is response.ok, for each method; a broken connection is another option.
# So:    the card's issuer sees eleven tries, each with its fee, and blocks the card. The caller gets "Number of attempts exceeded" in place of the decline. Set `until` to what is final.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent wretch@2.11.1 ofetch@1.5.1 fetch-retry@6.0.0 @vercel/fetch-retry@5.1.3 requestretry@8.0.0 request@2.88.2 xior@0.8.5
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import vercelRetry from '@vercel/fetch-retry';
import fetchRetry from 'fetch-retry';
import { ofetch } from 'ofetch';
import requestRetry from 'requestretry';
import wretch from 'wretch';
import { retry } from 'wretch/middlewares';
import xior from 'xior';
import errorRetry from 'xior/plugins/error-retry';

let calls = 0;
let status = 0;
const server = http.createServer((q, a) => {
  q.resume().on('end', () => {
    calls += 1;
    if (!status) q.socket.destroy();
    else a.writeHead(status, { 'content-type': 'application/json' }).end('{"code":"card_declined"}');
  });
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.on('listening', done); });
const url = `http://127.0.0.1:${server.address().port}/charges`;
const post = { method: 'POST', body: '{"amount":1999}', headers: { 'content-type': 'application/json' } };
const client = xior.create();
client.plugins.use(errorRetry({ retryInterval: 1 }));
const charges = {
  wretch: () => wretch(url).middlewares([retry({ delayTimer: 1 })]).post({ amount: 1999 }).json(),
  ofetch: () => ofetch(url, { ...post, retry: 10, retryDelay: 1 }),
  'fetch-retry': () => fetchRetry(fetch, { retries: 10, retryDelay: 1 })(url, post),
  '@vercel/fetch-retry': () => vercelRetry(fetch)(url, { ...post, retry: { retries: 10, minTimeout: 1, factor: 1 } }),
  requestretry: () => requestRetry({ url, ...post, maxAttempts: 11, retryDelay: 1 }),
  xior: () => client.post(url, { amount: 1999 }),
};
for (const [name, charge] of Object.entries(charges)) {
  const seen = [];
  for (status of [400, 402, 422]) {
    calls = 0;
    const end = await charge().then((r) => `answer ${r.status ?? r.statusCode}`, (e) => (e.message.startsWith('Number') ? e.message : 'an error'));
    seen.push(`${status}: ${calls} (${end})`);
  }
  console.log(`${name}: ${seen.join(', ')}`);
}
status = 0;
calls = 0;
await charges.wretch().catch(() => {});
console.log(`wretch, a broken connection: ${calls}`);
process.exit(0);
JS
cat >expected.txt <<'TXT'
wretch: 400: 11 (Number of attempts exceeded.), 402: 11 (Number of attempts exceeded.), 422: 11 (Number of attempts exceeded.)
ofetch: 400: 1 (an error), 402: 1 (an error), 422: 1 (an error)
fetch-retry: 400: 1 (answer 400), 402: 1 (answer 402), 422: 1 (answer 422)
@vercel/fetch-retry: 400: 1 (answer 400), 402: 1 (answer 402), 422: 1 (answer 422)
requestretry: 400: 1 (answer 400), 402: 1 (answer 402), 422: 1 (answer 422)
xior: 400: 1 (an error), 402: 1 (an error), 422: 1 (an error)
wretch, a broken connection: 1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
