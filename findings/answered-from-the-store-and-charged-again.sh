#!/usr/bin/env bash
# A repeated request gets the stored answer of the first one, and the handler runs a second time.
# Ran on 2026-11-30: express-idempotency 1.0.6 with express 5.3.0; Node 20.
# Guess: behind a middleware for idempotency a request that is answered from the store does not reach the handler.
# Seen:  both answers are byte for byte the first one's, "charge 1"; there are two charges. A handler that asks the service for a hit first charges once. Two requests at once are kept apart (409).
# Why:   the middleware calls next() for each request, by design; the handler's own answer comes too late and is dropped.
# So:    a test that compares the two answers passes, and so does each look at the traffic; only the ledger shows it. Count what the handler did, never what it answered.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent express-idempotency@1.0.6 express@5.3.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import express from 'express';
import library from 'express-idempotency';

const { idempotency, getSharedIdempotencyService } = library;

async function run(asksForAHit) {
  let charges = 0;
  const app = express();
  app.use(express.json(), idempotency());
  app.post('/pay', (req, res) => {
    if (asksForAHit && getSharedIdempotencyService().isHit(req)) return;
    charges++;
    res.send({ charge: charges });
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((r) => server.on('listening', r));
  const pay = async () => {
    const r = await fetch(`http://127.0.0.1:${server.address().port}/pay`, {
      method: 'POST', headers: { 'Idempotency-Key': `order 7, ${asksForAHit}`, 'Content-Type': 'application/json' }, body: '{"amount":50000}',
    });
    return `${r.status} ${await r.text()}`;
  };
  console.log(asksForAHit ? 'a handler that asks for a hit:' : 'a plain handler:', await pay(), 'and', await pay() + ';', 'charges:', charges);
  server.close();
}
await run(false);
await run(true);
process.exit(0);
JS
cat >expected.txt <<'TXT'
a plain handler: 200 {"charge":1} and 200 {"charge":1}; charges: 2
a handler that asks for a hit: 200 {"charge":1} and 200 {"charge":1}; charges: 1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
