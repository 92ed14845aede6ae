#!/usr/bin/env bash
# A charge that timed out is sent a second time, to the place that is named for the error page.
# Ran on 2026-11-30: nginx 1.22.1 of Debian 12, Node 20.
# Guess: nginx sends a POST once: it does not try another server after a timeout, and an error page is fetched with GET.
# Seen:  `error_page 502 504 = @second` sends the POST with its body to the second server after the first one had it and did not answer. With a path in place of the name it is a GET with the POST's body. An upstream of two servers sends it once.
# Why:   a named location gets the request as it was.
# So:    a fallback for reading makes a second charge for writing, and the caller has a 200. Limit it to GET and HEAD.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'nginx=1.22.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
cat >main.mjs <<'JS'
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';

let seen = [];
const listen = async (handler) => {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await new Promise((done) => { server.once('listening', done); });
  return server;
};
const provider = async (name, answers) => (await listen(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  seen.push(`${name} ${request.method} ${body}`);
  if (answers) response.end('paid');
})).address().port;
const [one, two] = [await provider('first', false), await provider('second', true)];
const held = [await listen(), await listen(), await listen()];
const ports = held.map((server) => server.address().port);
await Promise.all(held.map((server) => new Promise((done) => { server.close(done); })));
const home = process.cwd();
writeFileSync('nginx.conf', `daemon off; pid ${home}/pid; error_log /dev/null; events {}
http {
  access_log off; proxy_read_timeout 1s;
  client_body_temp_path ${home}/t1; proxy_temp_path ${home}/t2; fastcgi_temp_path ${home}/t3; uwsgi_temp_path ${home}/t4; scgi_temp_path ${home}/t5;
  upstream both { server 127.0.0.1:${one}; server 127.0.0.1:${two} backup; }
  server { listen 127.0.0.1:${ports[0]}; location / { proxy_pass http://127.0.0.1:${one}; error_page 502 504 = @second; } location @second { proxy_pass http://127.0.0.1:${two}; } }
  server { listen 127.0.0.1:${ports[1]}; location / { proxy_pass http://127.0.0.1:${one}; error_page 502 504 = /second; } location /second { proxy_pass http://127.0.0.1:${two}; } }
  server { listen 127.0.0.1:${ports[2]}; location / { proxy_pass http://both; } }
}`);
const nginx = spawn('usr/sbin/nginx', ['-c', `${home}/nginx.conf`, '-p', home], { stdio: 'ignore' });
const post = async (port) => {
  for (;;) {
    try { return (await fetch(`http://127.0.0.1:${port}/charge`, { method: 'POST', body: 'amount=1999' })).status; } catch { await new Promise((done) => { setTimeout(done, 100); }); }
  }
};
for (const [i, name] of ['error_page = @second', 'error_page = /second', 'upstream of two'].entries()) {
  seen = [];
  const status = await post(ports[i]);
  console.log(`${name}: ${seen.join(', ')}; the caller has ${status}`);
}
nginx.once('exit', () => process.exit());
nginx.kill('SIGTERM');
JS
cat >expected.txt <<'TXT'
error_page = @second: first POST amount=1999, second POST amount=1999; the caller has 200
error_page = /second: first POST amount=1999, second GET amount=1999; the caller has 200
upstream of two: first POST amount=1999; the caller has 504
TXT
timeout 100 node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
