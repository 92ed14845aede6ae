#!/usr/bin/env bash
# A payment that is polled through a recorder is pending for ever, while it is being recorded already.
# Ran on 2026-11-30: talkback 4.2.0, yakbak 5.0.1 beside nock 13.5.6, Node 20.
# Guess: while it records, a recorder passes each request on, and a replay gives the answers in their order: pending, pending, paid.
# Seen:  talkback, with record mode NEW, and yakbak ask the provider once and give pending three times, in the recording and in the replay. nock gives pending, pending, paid in both.
# Why:   the answers are kept by method, address and body, without an order, and one that was kept a moment ago is given in place of the provider's.
# So:    a test of a poll never ends, or the payment is given up as in doubt; a recording of it holds one answer and looks complete. Record polls with a recorder that counts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent talkback@4.2.0 yakbak@5.0.1 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const http = require('node:http');
const nock = require('nock');
const talkback = require('talkback');
const yakbak = require('yakbak');

let asked = 0;
const provider = http.createServer((q, a) => {
  asked += 1;
  a.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: asked < 3 ? 'pending' : 'paid' }));
});
const listen = (server, port = 0) => new Promise((done) => { server.listen(port, '127.0.0.1', () => done(server.address().port)); });
const get = (port) => new Promise((done) => {
  http.get({ host: '127.0.0.1', port, path: '/payments/7', agent: false }, (a) => {
    let body = '';
    a.on('data', (part) => { body += part; }).on('end', () => done(JSON.parse(body).status));
  });
});
const poll = async (name, port) => {
  asked = 0;
  const seen = [await get(port), await get(port), await get(port)];
  console.log(`${name}: ${seen.join(', ')}; the provider was asked ${asked} times`);
};

(async () => {
  const origin = await listen(provider);
  const free = http.createServer();
  const port = await listen(free);
  await new Promise((done) => { free.close(done); });
  const tapes = talkback({ host: `http://127.0.0.1:${origin}`, port, path: 'talkback', record: 'NEW', silent: true, summary: false });
  await tapes.start();
  await poll('talkback, recording', port);
  await poll('talkback, replay', port);
  await tapes.close();
  const yak = await listen(http.createServer(yakbak(`http://127.0.0.1:${origin}`, { dirname: `${process.cwd()}/yakbak` })));
  await poll('yakbak, recording', yak);
  await poll('yakbak, replay', yak);
  nock.recorder.rec({ dont_print: true, output_objects: true });
  await poll('nock, recording', origin);
  const recorded = nock.recorder.play();
  nock.recorder.clear();
  nock.restore();
  nock.activate();
  nock.define(recorded);
  await poll('nock, replay', origin);
  process.exit(0);
})();
JS
cat >expected.txt <<'TXT'
talkback, recording: pending, pending, pending; the provider was asked 1 times
talkback, replay: pending, pending, pending; the provider was asked 0 times
yakbak, recording: pending, pending, pending; the provider was asked 1 times
yakbak, replay: pending, pending, pending; the provider was asked 0 times
nock, recording: pending, pending, paid; the provider was asked 3 times
nock, replay: pending, pending, paid; the provider was asked 0 times
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
