#!/usr/bin/env bash
# A handler that is made idempotent charges twice for one order, and no log says why.
# Ran on 2026-12-01: @aws-lambda-powertools/idempotency 2.35.0, Node 20.
# Guess: makeIdempotent with a key that it cannot find in the event fails, or warns, or takes the whole event as the key.
# Seen:  with the key `body.order` on an event whose body is a text of JSON, as an API gateway sends it, the same event charges twice, without an error or a line; so does `headers."idempotency-key"` for a header written Idempotency-Key. An order number of 0 or "" is a key with a warning: the second charge, of another amount, gets the first's answer.
# Why:   where the key is missing the whole guard is left out, unless throwOnNoIdempotencyKey is set.
# So:    the guard is there in the code and in each test that calls the handler with an object, and is absent in production. Set throwOnNoIdempotencyKey, and use powertools_json(body).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @aws-lambda-powertools/idempotency@2.35.0 @aws-lambda-powertools/jmespath@2.35.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { IdempotencyConfig, IdempotencyItemAlreadyExistsError, IdempotencyItemNotFoundError, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer } from '@aws-lambda-powertools/idempotency/persistence';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';

class Memory extends BasePersistenceLayer {
  #records = new Map();
  async _getRecord(key) {
    if (!this.#records.has(key)) throw new IdempotencyItemNotFoundError('none');
    return this.#records.get(key);
  }
  async _putRecord(record) {
    const known = this.#records.get(record.idempotencyKey);
    if (known) throw new IdempotencyItemAlreadyExistsError('known', known);
    this.#records.set(record.idempotencyKey, record);
  }
  async _updateRecord(record) { this.#records.set(record.idempotencyKey, record); }
  async _deleteRecord(record) { this.#records.delete(record.idempotencyKey); }
}
let lines = 0;
for (const name of ['warn', 'error', 'info', 'debug']) console[name] = () => { lines++; };
const post = { body: '{"order":"A-7","amount":1999}', headers: { 'Idempotency-Key': 'k-7' } };
const cases = [
  ['order', { order: 'A-7', amount: 1999 }, { order: 'A-7', amount: 1999 }],
  ['body.order', post, post],
  ['powertools_json(body).order', post, post],
  ['headers."idempotency-key"', post, post],
  ['order', { order: 0, amount: 1999 }, { order: 0, amount: 2999 }],
  ['order', { order: '', amount: 1999 }, { order: '', amount: 2999 }],
];
for (const [path, ...events] of cases) {
  let charges = 0;
  const config = new IdempotencyConfig({ eventKeyJmesPath: path, jmesPathOptions: new PowertoolsFunctions() });
  const handler = makeIdempotent(async () => ({ charge: ++charges }), { persistenceStore: new Memory(), config });
  lines = 0;
  for (const event of events) await handler(event, { getRemainingTimeInMillis: () => 30000 });
  console.log(`${path}, ${JSON.stringify(events[0]).slice(0, 27)}...: charged ${charges} times, lines of log ${lines}`);
}
JS
cat >expected.txt <<'TXT'
order, {"order":"A-7","amount":199...: charged 1 times, lines of log 0
body.order, {"body":"{\"order\":\"A-7\"...: charged 2 times, lines of log 0
powertools_json(body).order, {"body":"{\"order\":\"A-7\"...: charged 1 times, lines of log 0
headers."idempotency-key", {"body":"{\"order\":\"A-7\"...: charged 2 times, lines of log 0
order, {"order":0,"amount":1999}...: charged 1 times, lines of log 3
order, {"order":"","amount":1999}...: charged 1 times, lines of log 3
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
