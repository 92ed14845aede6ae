#!/usr/bin/env bash
# fetch sends a charge twice, and the caller sees one answer.
# Ran on 2026-12-01: fetch of Node 20.20.2 (undici 6.24.1) and undici 7.30.2, beside undici's request and axios 1.21.1.
# Guess: a client without retries sends a POST once, whatever the answer's status.
# Seen:  after a 421 (misdirected request) fetch sends the POST again, body and idempotency key and all, and the caller has the second answer: 201. 408, 425, 429, 500 and 503 are sent once. undici's request and axios give the 421 to the caller.
# Why:   the Fetch standard has the request made anew after a 421, on a new connection, if its body can be read again.
# So:    a provider's edge, a mock or a proxy that answers 421 after it has passed the call on makes two charges of one call, in code without a retry. Journals and counters around fetch see one call where the provider's log has two. Send an idempotency key with each POST.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent axios@1.21.1 undici@7.30.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import axios from 'axios';
import * as undici from 'undici';

const clients = {
  fetch: async (url, body) => (await fetch(url, { method: 'POST', headers: { 'idempotency-key': 'k-7' }, body })).status,
  'fetch of undici': async (url, body) => (await undici.fetch(url, { method: 'POST', headers: { 'idempotency-key': 'k-7' }, body })).status,
  'request of undici': async (url, body) => (await undici.request(url, { method: 'POST', headers: { 'idempotency-key': 'k-7' }, body })).statusCode,
  axios: async (url, body) => (await axios.post(url, body, { headers: { 'idempotency-key': 'k-7' }, validateStatus: () => true })).status,
};
for (const [name, send] of Object.entries(clients)) {
  for (const status of [408, 421, 425, 429, 503]) {
    const received = [];
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (part) => { body += part; });
      request.on('end', () => {
        received.push(`${request.headers['idempotency-key']} ${body}`);
        response.writeHead(received.length === 1 ? status : 201).end();
      });
    });
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    const seen = await send(`http://127.0.0.1:${server.address().port}/payments`, '{"amount":1999}');
    console.log(`${name}, first answer ${status}: the caller sees ${seen}, the server saw ${received.join(' and ')}`);
    server.closeAllConnections();
    server.close();
  }
}
process.exit();
JS
cat >expected.txt <<'TXT'
fetch, first answer 408: the caller sees 408, the server saw k-7 {"amount":1999}
fetch, first answer 421: the caller sees 201, the server saw k-7 {"amount":1999} and k-7 {"amount":1999}
fetch, first answer 425: the caller sees 425, the server saw k-7 {"amount":1999}
fetch, first answer 429: the caller sees 429, the server saw k-7 {"amount":1999}
fetch, first answer 503: the caller sees 503, the server saw k-7 {"amount":1999}
fetch of undici, first answer 408: the caller sees 408, the server saw k-7 {"amount":1999}
fetch of undici, first answer 421: the caller sees 201, the server saw k-7 {"amount":1999} and k-7 {"amount":1999}
fetch of undici, first answer 425: the caller sees 425, the server saw k-7 {"amount":1999}
fetch of undici, first answer 429: the caller sees 429, the server saw k-7 {"amount":1999}
fetch of undici, first answer 503: the caller sees 503, the server saw k-7 {"amount":1999}
request of undici, first answer 408: the caller sees 408, the server saw k-7 {"amount":1999}
request of undici, first answer 421: the caller sees 421, the server saw k-7 {"amount":1999}
request of undici, first answer 425: the caller sees 425, the server saw k-7 {"amount":1999}
request of undici, first answer 429: the caller sees 429, the server saw k-7 {"amount":1999}
request of undici, first answer 503: the caller sees 503, the server saw k-7 {"amount":1999}
axios, first answer 408: the caller sees 408, the server saw k-7 {"amount":1999}
axios, first answer 421: the caller sees 421, the server saw k-7 {"amount":1999}
axios, first answer 425: the caller sees 425, the server saw k-7 {"amount":1999}
axios, first answer 429: the caller sees 429, the server saw k-7 {"amount":1999}
axios, first answer 503: the caller sees 503, the server saw k-7 {"amount":1999}
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
