#!/usr/bin/env bash
# A server that plays recorded answers says 200 to a request that it has no answer for.
# Ran on 2026-11-30: mountebank 2.9.1; Node 20.
# Guess: a request that no stub matches is refused, with 404 or a status of the server's own.
# Seen:  200 with an empty body, for another path, another method and another order number alike. Nothing marks it. With a defaultResponse of one's own it is that.
# Why:   an imposter has a default response, and its default is an empty 200.
# So:    the test of a client that looks at the status only passes with a wrong URL, and a refund that the recording lacks succeeds. Give each imposter a defaultResponse of 501.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mountebank@2.9.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { spawn } from 'node:child_process';
import net from 'node:net';

const free = () => new Promise((r) => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => r(port)); }); });
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const admin = await free();
const mb = spawn('node_modules/.bin/mb', ['start', '--port', admin, '--localOnly', '--nologfile', '--pidfile', 'mb.pid'], { stdio: 'ignore' });
for (let i = 0; i < 100; i++) { try { await fetch(`http://127.0.0.1:${admin}/`); break; } catch { await sleep(200); } }

for (const defaultResponse of [undefined, { statusCode: 501 }]) {
  const port = await free();
  const stubs = [{ predicates: [{ equals: { method: 'POST', path: '/pay', body: 'order=7' } }], responses: [{ is: { statusCode: 200, body: '{"code":0}' } }] }];
  await fetch(`http://127.0.0.1:${admin}/imposters`, { method: 'POST', body: JSON.stringify({ port, protocol: 'http', stubs, defaultResponse }) });
  console.log(defaultResponse ? 'with a default response of 501:' : 'as it comes:');
  for (const [method, path, body] of [['POST', '/pay', 'order=7'], ['POST', '/pay', 'order=8'], ['POST', '/refund', 'order=7'], ['DELETE', '/']]) {
    const r = await fetch(`http://127.0.0.1:${port}${path}`, { method, body });
    console.log(`  ${method} ${path} ${body ?? ''}: ${r.status} ${JSON.stringify(await r.text())}`);
  }
}
mb.kill();
process.exit(0);
JS
cat >expected.txt <<'TXT'
as it comes:
  POST /pay order=7: 200 "{\"code\":0}"
  POST /pay order=8: 200 ""
  POST /refund order=7: 200 ""
  DELETE / : 200 ""
with a default response of 501:
  POST /pay order=7: 200 "{\"code\":0}"
  POST /pay order=8: 501 ""
  POST /refund order=7: 501 ""
  DELETE / : 501 ""
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
