#!/usr/bin/env bash
# A payment that is split over three sellers and refunded in full leaves one seller a cent short and another a cent ahead.
# Ran on 2026-11-30: dinero.js 1.9.1, ts-money 0.4.8, js-money 0.6.3; Node 20.
# Guess: the shares of -100 are the negatives of the shares of 100; who has a share of 0 gets 0.
# Seen:  100 is 34, 33, 33 and -100 is -33, -33, -34 in all three. With shares 0, 1, 1 of 101, ts-money and js-money give the first seller, who takes no part, a cent.
# Why:   shares are rounded down, towards minus infinity, and what is left is handed out from the first on, whether its share is 0 or not.
# So:    the sums agree and the sellers' accounts do not. Split the refund as the negatives of the stored shares.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent dinero.js@1.9.1 ts-money@0.4.8 js-money@0.6.3
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import Dinero from 'dinero.js';
import JsMoney from 'js-money';
import { Currencies, Money } from 'ts-money';

const libs = {
  'dinero.js': (amount, shares) => Dinero({ amount }).allocate(shares).map((m) => m.getAmount()),
  'ts-money': (amount, shares) => new Money(amount, Currencies.USD).allocate(shares).map((m) => m.amount),
  'js-money': (amount, shares) => new JsMoney(amount, JsMoney.USD).allocate(shares).map((m) => m.amount),
};
for (const [name, split] of Object.entries(libs)) {
  console.log(`${name}: 100 is ${split(100, [1, 1, 1])}; -100 is ${split(-100, [1, 1, 1])}; 101 in shares 0, 1, 1 is ${split(101, [0, 1, 1])}`);
}
JS
cat >expected.txt <<'TXT'
dinero.js: 100 is 34,33,33; -100 is -33,-33,-34; 101 in shares 0, 1, 1 is 0,51,50
ts-money: 100 is 34,33,33; -100 is -33,-33,-34; 101 in shares 0, 1, 1 is 1,50,50
js-money: 100 is 34,33,33; -100 is -33,-33,-34; 101 in shares 0, 1, 1 is 1,50,50
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
