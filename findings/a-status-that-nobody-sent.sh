#!/usr/bin/env bash
# A transfer whose connection broke has the status 500, though the provider sent none.
# Ran on 2026-12-01: chapa-nodejs 2.1.1, nock 13.5.6, Node 20.
# Guess: an error's status is that of the answer; without an answer there is none, and the error's code says why.
# Seen:  a connection that broke after the request was sent has the status 500, one that was cut at its timeout 408, one that was refused 503, and an amount that the package itself refuses 400. A 500, a 503 and a 400 of the provider are the same HttpException with the same status; code and cause are gone.
# Why:   the client turns the code of each error into a status.
# So:    a transfer that may have been made, one that surely was not, and one that the provider refused are told apart by nothing but a text. Decide by the message, or take each of them for unknown, and ask for the transfer by its reference.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent chapa-nodejs@2.1.1 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const { Chapa } = createRequire(import.meta.url)('chapa-nodejs');
const chapa = new Chapa({ secretKey: 'secret' });
nock.disableNetConnect();
const failure = (code) => (interceptor) => interceptor.replyWithError(Object.assign(new Error(code === 'ECONNRESET' ? 'socket hang up' : code), { code }));
const cases = {
  'the connection breaks': failure('ECONNRESET'),
  'the connection is refused': failure('ECONNREFUSED'),
  'no answer in time': failure('ETIMEDOUT'),
  'the provider answers 500': (interceptor) => interceptor.reply(500, { message: 'error' }),
  'the provider answers 503': (interceptor) => interceptor.reply(503, {}),
  'the provider answers 400': (interceptor) => interceptor.reply(400, { message: 'no balance' }),
  'nothing is sent': () => {},
};
for (const [what, reply] of Object.entries(cases)) {
  nock.cleanAll();
  reply(nock(/chapa/).post(/.*/));
  const amount = what === 'nothing is sent' ? 1999 : '1999';
  const error = await chapa.transfer({ account_name: 'Ann', account_number: '1000', amount, currency: 'ETB', reference: 'A-7', bank_code: 656 }).then(() => ({}), (caught) => caught);
  console.log(`${what}: ${error.name}, status ${error.status}, code ${error.code}, cause ${error.cause}`);
}
JS
cat >expected.txt <<'TXT'
the connection breaks: HttpException, status 500, code undefined, cause undefined
the connection is refused: HttpException, status 503, code undefined, cause undefined
no answer in time: HttpException, status 408, code undefined, cause undefined
the provider answers 500: HttpException, status 500, code undefined, cause undefined
the provider answers 503: HttpException, status 503, code undefined, cause undefined
the provider answers 400: HttpException, status 400, code undefined, cause undefined
nothing is sent: HttpException, status 400, code undefined, cause undefined
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
