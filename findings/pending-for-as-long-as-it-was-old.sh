#!/usr/bin/env bash
# A payment's status that says nothing about caching is asked for once, if it says when the order was last changed.
# Ran on 2026-11-30: undici 7.30.2 (interceptors.cache), got 14.6.6 (cache: new Map()), make-fetch-happen 15.0.6; Node 20.
# Guess: an answer without Cache-Control and Expires is not kept: each poll asks the provider.
# Seen:  without Last-Modified, or with an ETag, each poll asks. With a Last-Modified of yesterday the second poll gets the stored `pending`; the payment is paid.
# Why:   RFC 9111 lets a cache guess a tenth of the answer's age, and all three do: an order of yesterday is fresh for 2.4 hours.
# So:    an order made a minute ago is polled rightly in each test (fresh for 6 s), and the old ones, which one asks about after an outage, stay in doubt. Send Cache-Control: no-store with each query.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent undici@7.30.2 got@14.6.6 make-fetch-happen@15.0.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import fs from 'node:fs';
import http from 'node:http';
import got from 'got';
import fetchOf from 'make-fetch-happen';
import { Agent, interceptors, request } from 'undici';

let asked = 0;
const headers = { '/plain': {}, '/with-etag': { ETag: '"7"' }, '/changed-yesterday': { 'Last-Modified': new Date(Date.now() - 86400000).toUTCString() } };
const server = http.createServer((req, res) => {
  asked++;
  res.writeHead(200, { 'Content-Type': 'application/json', ...headers[new URL(req.url, 'http://x').pathname] });
  res.end(JSON.stringify({ status: asked === 1 ? 'pending' : 'paid' }));
});
await new Promise((r) => server.listen(0, '127.0.0.1', r));
const base = `http://127.0.0.1:${server.address().port}`;

const dispatcher = new Agent().compose(interceptors.cache());
const cache = new Map();
fs.mkdirSync('kept');
const kept = fetchOf.defaults({ cachePath: 'kept' });
const clients = {
  undici: async (p, headers) => (await (await request(base + p, { dispatcher, headers })).body.json()).status,
  got: async (p, headers) => (await got(base + p, { cache, headers }).json()).status,
  'make-fetch-happen': async (p, headers) => (await (await kept(base + p, { headers })).json()).status,
};
for (const [name, ask] of Object.entries(clients)) {
  for (const [path, with_] of [['/plain', {}], ['/with-etag', {}], ['/changed-yesterday', {}], ['/changed-yesterday?no-store', { 'cache-control': 'no-store' }]]) {
    asked = 0;
    const first = await ask(path, with_);
    await new Promise((r) => setTimeout(r, 1100));
    console.log(`${name} ${path}: ${first}, then ${await ask(path, with_)}; requests ${asked}`);
  }
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
undici /plain: pending, then paid; requests 2
undici /with-etag: pending, then paid; requests 2
undici /changed-yesterday: pending, then pending; requests 1
undici /changed-yesterday?no-store: pending, then paid; requests 2
got /plain: pending, then paid; requests 2
got /with-etag: pending, then paid; requests 2
got /changed-yesterday: pending, then pending; requests 1
got /changed-yesterday?no-store: pending, then paid; requests 2
make-fetch-happen /plain: pending, then paid; requests 2
make-fetch-happen /with-etag: pending, then paid; requests 2
make-fetch-happen /changed-yesterday: pending, then pending; requests 1
make-fetch-happen /changed-yesterday?no-store: pending, then paid; requests 2
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
