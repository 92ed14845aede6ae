#!/usr/bin/env bash
# A memoized fee forgets the amount as soon as the parameter gets a default value.
# Ran on 2026-11-30: fast-memoize 2.5.2, memoizee 0.4.17, memoize 11.0.0, p-memoize 8.0.0 beside moize 6.1.7 and micro-memoize 5.2.0; Node 20.
# Guess: fee(method, amount = 0) is remembered for each method and amount, as fee(method, amount) is.
# Seen:  fast-memoize calls the function without the amount: the fee of 100 is the fee of 0. memoizee gives the fee of the first amount to all. memoize and p-memoize do so with and without a default. moize and micro-memoize keep them apart.
# Why:   a parameter with a default is not counted in a function's length, by which the first two choose how many arguments they look at; the next two look at the first argument only.
# So:    a harmless default in one file changes amounts in another, and no test of the plain function sees it. Give a key function of your own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent fast-memoize@2.5.2 memoizee@0.4.17 memoize@11.0.0 p-memoize@8.0.0 moize@6.1.7 micro-memoize@5.2.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import fast from 'fast-memoize';
import memoize from 'memoize';
import memoizee from 'memoizee';
import * as micro from 'micro-memoize';
import moize from 'moize';
import pMemoize from 'p-memoize';

const kinds = { 'fast-memoize': fast, memoizee, memoize, 'p-memoize': pMemoize, moize: moize.default ?? moize, 'micro-memoize': micro.memoize };
for (const [name, remember] of Object.entries(kinds)) {
  const plain = remember((method, amount) => amount / 10);
  const withDefault = remember((method, amount = 0) => amount / 10);
  const said = async (fee) => `fees of 100, 500 and 900: ${await fee('card', 100)}, ${await fee('card', 500)}, ${await fee('card', 900)}`;
  console.log(`${name}: (method, amount): ${await said(plain)}; (method, amount = 0): ${await said(withDefault)}`);
}
JS
cat >expected.txt <<'TXT'
fast-memoize: (method, amount): fees of 100, 500 and 900: 10, 50, 90; (method, amount = 0): fees of 100, 500 and 900: 0, 0, 0
memoizee: (method, amount): fees of 100, 500 and 900: 10, 50, 90; (method, amount = 0): fees of 100, 500 and 900: 10, 10, 10
memoize: (method, amount): fees of 100, 500 and 900: 10, 10, 10; (method, amount = 0): fees of 100, 500 and 900: 10, 10, 10
p-memoize: (method, amount): fees of 100, 500 and 900: 10, 10, 10; (method, amount = 0): fees of 100, 500 and 900: 10, 10, 10
moize: (method, amount): fees of 100, 500 and 900: 10, 50, 90; (method, amount = 0): fees of 100, 500 and 900: 10, 50, 90
micro-memoize: (method, amount): fees of 100, 500 and 900: 10, 50, 90; (method, amount = 0): fees of 100, 500 and 900: 10, 50, 90
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
