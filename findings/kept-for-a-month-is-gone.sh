#!/usr/bin/env bash
# An expiry map that keeps its entries for 30 days forgets them at once.
# Ran on 2026-11-30: expiry-map 2.0.0 (map-age-cleaner 0.2.0) as the cache of p-memoize 8.0.0; Node 20.
# Guess: a maximum age of 30 days keeps an entry for 30 days; at worst it is kept longer.
# Seen:  after 50 ms it is gone. 24 days are kept. So the memoised call runs again.
# Why:   the cleaner waits with one setTimeout; a delay over 2^31-1 ms becomes 1 ms, and it then deletes without looking at the clock.
# So:    a map that remembers which payments were sent, kept "for a month to be safe", remembers nothing; kept for three weeks it works.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent expiry-map@2.0.0 p-memoize@8.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import ExpiryMap from 'expiry-map';
import pMemoize from 'p-memoize';

const day = 24 * 60 * 60 * 1000;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
for (const days of [24, 30]) {
  let sent = 0;
  const pay = pMemoize(async (order) => `${order} sent ${++sent} times`, { cache: new ExpiryMap(days * day) });
  await pay('A-1');
  await sleep(50);
  console.log(`${days} days:`, await pay('A-1'));
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
24 days: A-1 sent 1 times
30 days: A-1 sent 2 times
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
