#!/usr/bin/env bash
# A loop over the payments that a query found runs once for each letter, if it found one payment.
# Ran on 2026-11-30: jsonata 2.2.2, Node 20.
# Guess: payments[amount > 100].id gives a list of the ids, of none, one or more.
# Seen:  of two hits it is a list, of one the text "A-17", over which a loop makes four rounds, and of none undefined. An `[]` behind the step keeps a list of one.
# Why:   in JSONata a value and a list of that one value are the same, and the result is written as the value.
# So:    four refunds of unknown orders `A`, `-`, `1` and `7` instead of one, on a quiet day only. Write payments[amount > 100][].id, or put the result in a list.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent jsonata@2.2.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import jsonata from 'jsonata';

for (const query of ['payments[amount > 100].id', 'payments[amount > 100][].id']) {
  for (const amounts of [[200, 300], [200, 50], [50, 50]]) {
    const payments = amounts.map((amount, i) => ({ id: `A-${17 + i}`, amount }));
    const found = await jsonata(query).evaluate({ payments });
    const refunds = [];
    for (const id of found ?? []) refunds.push(id);
    console.log(`${query} of ${amounts.join(' and ')}: ${JSON.stringify(found)}, refunds ${refunds.length}`);
  }
}
JS
cat >expected.txt <<'TXT'
payments[amount > 100].id of 200 and 300: ["A-17","A-18"], refunds 2
payments[amount > 100].id of 200 and 50: "A-17", refunds 4
payments[amount > 100].id of 50 and 50: undefined, refunds 0
payments[amount > 100][].id of 200 and 300: ["A-17","A-18"], refunds 2
payments[amount > 100][].id of 200 and 50: ["A-17"], refunds 1
payments[amount > 100][].id of 50 and 50: undefined, refunds 0
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
