#!/usr/bin/env bash
# What WireMock's recorder makes of a payment call that the provider cut off without an answer.
# Ran on 2026-11-30: wiremock-standalone 3.13.2 (npm's wiremock 3.13.2), Node 20, OpenJDK 17.
# Guess: a call without an answer is not in the recording, or it is there as a fault (WireMock has CONNECTION_RESET_BY_PEER).
# Seen:  the client gets a 500 that WireMock wrote itself, and the recording holds a stub that answers the payment with
#        that 500 and its text, host and port included. Nothing marks it. A call that the client gave up is not in it.
# Why:   the proxy renders its own failure as a response, and the recorder takes every response that a proxied call had.
# So:    a log imported from stubs shows a provider that said 500 where money may have moved, and tests replay an answer
#        that was never given. Look for "Network failure trying to make a proxied request" before you believe a 500.
set -euo pipefail
dir=$(mktemp -d)
wiremock= upstream=
trap 'kill $wiremock $upstream 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent wiremock@3.13.2
npm ls --depth 0 | tail -n +2
cat >upstream.mjs <<'JS'
import http from 'node:http';
const server = http.createServer((req, res) => {
  let body = '';
  req.on('data', (d) => (body += d));
  req.on('end', () => {
    if (body.includes('cut')) return req.socket.resetAndDestroy();
    if (body.includes('slow')) return setTimeout(() => res.end('{"resultCode":0}'), 3000);
    res.setHeader('Content-Type', 'application/json');
    res.end('{"resultCode":0}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node upstream.mjs >port.txt & upstream=$!
until [ -s port.txt ]; do sleep 0.1; done
java -jar node_modules/wiremock/build/wiremock-standalone-3.13.2.jar --port 0 --disable-banner --root-dir root >wiremock.txt 2>&1 & wiremock=$!
until grep -q '^port:' wiremock.txt; do sleep 0.2; done
base=http://127.0.0.1:$(sed -n 's/^port: *//p' wiremock.txt)
curl -s -o /dev/null "$base/__admin/recordings/start" -d "{\"targetBaseUrl\":\"http://127.0.0.1:$(cat port.txt)\",\"persist\":false}"
pay() { curl -s -m "$2" -o /dev/null -w "client, $1: %{http_code}\n" "$base/pay" -H 'Content-Type: application/json' -d "{\"orderId\":\"$1\"}" || true; }
{
  pay paid 20
  pay cut 20
  pay slow 1
  curl -s -X POST "$base/__admin/recordings/stop" >stubs.json
  node -e '
    const stubs = JSON.parse(require("fs").readFileSync("stubs.json")).mappings;
    for (const order of ["paid", "cut", "slow"]) {
      const s = stubs.find((s) => JSON.stringify(s.request).includes(order));
      console.log(`stub, ${order}: ` + (s ? `${s.response.status} fault ${s.response.fault ?? "none"}, "${(s.response.body ?? Buffer.from(s.response.base64Body ?? "", "base64").toString()).slice(0, 47)}"` : "none"));
    }'
} | tee seen.txt
cat >expected.txt <<'TXT'
client, paid: 200
client, cut: 500
client, slow: 000
stub, paid: 200 fault none, "{"resultCode":0}"
stub, cut: 500 fault none, "Network failure trying to make a proxied reques"
stub, slow: none
TXT
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
