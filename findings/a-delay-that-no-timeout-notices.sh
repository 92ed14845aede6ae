#!/usr/bin/env bash
# A mock that answers after two hundred milliseconds is a payment that succeeded, for a client that waits for twenty.
# Ran on 2026-12-01: axios-mock-adapter 2.1.0 with axios 1.21.1, the MockAgent of undici 7.30.2, beside fetch-mock 12.6.0, Node 20.
# Guess: a mock with a delay longer than the client's timeout ends the call with the timeout's error.
# Seen:  with axios-mock-adapter a timeout of 20 ms and delayResponse 200 give 201 after 200 ms; so does undici's MockAgent with headersTimeout and bodyTimeout of 20. Against a real server that waits as long both time out. An AbortSignal ends the call in each, with axios-mock-adapter after the 200 ms.
# Why:   both libraries stand in the place where the client's own timer would run.
# So:    the test of the silent case is green without the code for it: nobody sees that a timeout is missing, or that it charges again. Use .timeout(), or a real server, or AbortSignal.timeout.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent axios@1.21.1 axios-mock-adapter@2.1.0 undici@7.30.2 fetch-mock@12.6.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import axios from 'axios';
import MockAdapter from 'axios-mock-adapter';
import fetchMock from 'fetch-mock';
import { Agent, MockAgent, request } from 'undici';

const slow = http.createServer((_, response) => setTimeout(() => response.writeHead(201).end(), 200));
await new Promise((ready) => slow.listen(0, '127.0.0.1', ready));
const real = `http://127.0.0.1:${slow.address().port}/payments`;
const mocked = 'http://provider.example/payments';
const show = async (name, call) => {
  const before = Date.now();
  const seen = await call().then((answer) => answer.status ?? answer.statusCode, (error) => `error ${error.code ?? error.name}`);
  console.log(`${name}: ${seen}, ${Date.now() - before < 150 ? 'before' : 'after'} the answer was due`);
};
const viaAxios = axios.create({ timeout: 20 });
await show('axios, timeout 20, a server', () => viaAxios.post(real));
new MockAdapter(viaAxios, { delayResponse: 200 }).onPost(mocked).reply(201);
await show('axios, timeout 20, the mock', () => viaAxios.post(mocked));
await show('axios, a signal of 20, the mock', () => viaAxios.post(mocked, {}, { signal: AbortSignal.timeout(20) }));

const agent = new MockAgent();
agent.disableNetConnect();
agent.get('http://provider.example').intercept({ path: '/payments', method: 'POST' }).reply(201).delay(200).persist();
const limits = { method: 'POST', headersTimeout: 20, bodyTimeout: 20 };
// undici looks at its timers twice a second
slow.removeAllListeners('request');
slow.on('request', (_, response) => setTimeout(() => response.writeHead(201).end(), 3000));
const before = Date.now();
const seen = await request(real, { ...limits, dispatcher: new Agent() }).then((answer) => answer.statusCode, (error) => `error ${error.code}`);
console.log(`undici, headersTimeout 20, a server of three seconds: ${seen}, ${Date.now() - before < 2500 ? 'before' : 'after'} the answer was due`);
agent.get('http://provider.example').intercept({ path: '/slow', method: 'POST' }).reply(201).delay(3000);
const then = Date.now();
const mock = await request('http://provider.example/slow', { ...limits, dispatcher: agent }).then((answer) => answer.statusCode, (error) => `error ${error.code}`);
console.log(`undici, headersTimeout 20, the mock of three seconds: ${mock}, ${Date.now() - then < 2500 ? 'before' : 'after'} the answer was due`);
await show('undici, a signal of 20, the mock', () => request(mocked, { method: 'POST', dispatcher: agent, signal: AbortSignal.timeout(20) }));

const local = fetchMock.createInstance().post(mocked, 201, { delay: 200 });
await show('fetch-mock, a signal of 20', () => local.fetchHandler(mocked, { method: 'POST', signal: AbortSignal.timeout(20) }));
process.exit();
JS
cat >expected.txt <<'TXT'
axios, timeout 20, a server: error ECONNABORTED, before the answer was due
axios, timeout 20, the mock: 201, after the answer was due
axios, a signal of 20, the mock: error ERR_CANCELED, after the answer was due
undici, headersTimeout 20, a server of three seconds: error UND_ERR_HEADERS_TIMEOUT, before the answer was due
undici, headersTimeout 20, the mock of three seconds: 201, after the answer was due
undici, a signal of 20, the mock: error 23, before the answer was due
fetch-mock, a signal of 20: error 20, before the answer was due
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
