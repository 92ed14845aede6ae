#!/usr/bin/env bash
# An answer that is cut, or a page about maintenance, is handed over as a text, whose error is undefined.
# Ran on 2026-11-30: axios 1.21.1, ofetch 1.5.1, needle 3.5.0 beside got 14.6.6, ky 1.14.3, superagent 10.4.2 and wretch 2.11.1, Node 20.
# Guess: a 200 that says it is JSON, and is not, makes the client that parses it fail.
# Seen:  axios, ofetch and needle resolve with a text: its `error` is undefined, so that `if (answer.error)` takes the payment for made. The other four reject.
# Why:   they try to parse, and keep the text where that fails.
# So:    half an answer of a declined payment, or a page of a proxy with status 200, is a success. Check that there is an id and a status that you know.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent axios@1.21.1 ofetch@1.5.1 needle@3.5.0 got@14.6.6 ky@1.14.3 superagent@10.4.2 wretch@2.11.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import http from 'node:http';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import needle from 'needle';
import { ofetch } from 'ofetch';
import superagent from 'superagent';
import wretch from 'wretch';

const bodies = { '/cut': '{"id":"pay-7","error":{"code":"card_decl', '/page': '<html>We are back at 10:00</html>' };
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(bodies[request.url]);
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.once('listening', done); });
const at = `http://127.0.0.1:${server.address().port}`;
const clients = {
  axios: async (path) => (await axios.post(at + path, {})).data,
  ofetch: (path) => ofetch(at + path, { method: 'POST', body: {} }),
  needle: async (path) => (await needle('post', at + path, {}, { json: true })).body,
  got: (path) => got.post(at + path, { json: {} }).json(),
  ky: (path) => ky.post(at + path, { json: {} }).json(),
  superagent: async (path) => (await superagent.post(at + path).send({})).body,
  wretch: (path) => wretch(at + path).post({}).json(),
};
for (const [name, post] of Object.entries(clients)) {
  const all = [];
  for (const path of Object.keys(bodies)) {
    const how = await post(path).then((answer) => `a ${typeof answer}, error ${answer.error}`, () => 'rejected');
    all.push(`${path.slice(1)}: ${how}`);
  }
  console.log(`${name}: ${all.join('; ')}`);
}
process.exit();
JS
cat >expected.txt <<'TXT'
axios: cut: a string, error undefined; page: a string, error undefined
ofetch: cut: a string, error undefined; page: a string, error undefined
needle: cut: a string, error undefined; page: a string, error undefined
got: cut: rejected; page: rejected
ky: cut: rejected; page: rejected
superagent: cut: rejected; page: rejected
wretch: cut: rejected; page: rejected
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
