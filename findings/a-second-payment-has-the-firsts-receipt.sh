#!/usr/bin/env bash
# The second payment within five minutes is answered with the first one's receipt and not made.
# Ran on 2026-12-01: apicache 1.6.3, route-cache 0.7.1, express 5.3.0, Node 20.
# Guess: a cache for the answers of a server keeps what GET gave, and leaves POST and DELETE alone.
# Seen:  with either of them before the routes a second POST to the same address, with another order and amount, is answered 201 with the first order's receipt, and the handler is not called. A DELETE after a GET of its address is answered with what the GET saw, pending, and deletes nothing.
# Why:   the key is the address; the method and the body are no part of it. The method gets into apicache's key only if one puts it there.
# So:    a cache that was put before the routes to make status pages cheap loses payments and cancellations, each with a good answer, and only for customers who come within the same minutes. Put it on single GET routes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent apicache@1.6.3 route-cache@0.7.1 express@5.3.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import apicache from 'apicache';
import express from 'express';
import routeCache from 'route-cache';

for (const [name, cache] of [['apicache', apicache.middleware('5 minutes')], ['route-cache', routeCache.cacheSeconds(300)]]) {
  let calls = 0;
  const app = express();
  app.use(express.json());
  app.use(cache);
  app.post('/payments', ({ body }, response) => {
    calls += 1;
    response.status(201).json({ order: body.order, amount: body.amount, status: 'paid' });
  });
  app.get('/payments/:order', ({ params }, response) => response.json({ order: params.order, status: 'pending' }));
  app.delete('/payments/:order', ({ params }, response) => {
    calls += 1;
    response.json({ order: params.order, status: 'cancelled' });
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const ask = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    console.log(`${name}: ${method} ${path} ${body ? JSON.stringify(body) : '-'}: ${answer.status} ${await answer.text()}, calls ${calls}`);
  };
  await ask('POST', '/payments', { order: 'A-1', amount: 100 });
  await ask('POST', '/payments', { order: 'A-2', amount: 9000 });
  await ask('GET', '/payments/A-1');
  await ask('DELETE', '/payments/A-1');
  server.closeAllConnections();
  server.close();
}
process.exit();
JS
cat >expected.txt <<'TXT'
apicache: POST /payments {"order":"A-1","amount":100}: 201 {"order":"A-1","amount":100,"status":"paid"}, calls 1
apicache: POST /payments {"order":"A-2","amount":9000}: 201 {"order":"A-1","amount":100,"status":"paid"}, calls 1
apicache: GET /payments/A-1 -: 200 {"order":"A-1","status":"pending"}, calls 1
apicache: DELETE /payments/A-1 -: 200 {"order":"A-1","status":"pending"}, calls 1
route-cache: POST /payments {"order":"A-1","amount":100}: 201 {"order":"A-1","amount":100,"status":"paid"}, calls 1
route-cache: POST /payments {"order":"A-2","amount":9000}: 201 {"order":"A-1","amount":100,"status":"paid"}, calls 1
route-cache: GET /payments/A-1 -: 200 {"order":"A-1","status":"pending"}, calls 1
route-cache: DELETE /payments/A-1 -: 200 {"order":"A-1","status":"pending"}, calls 1
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
