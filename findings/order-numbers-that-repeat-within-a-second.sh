#!/usr/bin/env bash
# A generator of snowflake ids gives some numbers twice, in one process.
# Ran on 2026-11-30: @theinternetfolks/snowflake 1.3.0 beside flake-idgen 1.4.0; Node 20.
# Guess: ids of one process differ; its README says that a sequence number counts the ids of a millisecond and that a full one waits for the next.
# Seen:  of 200,000 ids made in a loop some repeat, in each of five runs. flake-idgen has none.
# Why:   the place of the sequence is filled with random bits, so ids of one millisecond meet as birthdays do.
# So:    a batch that mints an order number for each of its payments has now and then two payments with one number, and a provider that knows the number takes the second for a repeat of the first: it is not paid.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @theinternetfolks/snowflake@1.3.0 flake-idgen@1.4.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { Snowflake } from '@theinternetfolks/snowflake';
import FlakeId from 'flake-idgen';

const flake = new FlakeId();
for (const [name, next] of [['@theinternetfolks/snowflake', () => Snowflake.generate()], ['flake-idgen', () => flake.next().toString('hex')]]) {
  let runsWithRepeats = 0;
  for (let run = 0; run < 5; run++) {
    const ids = new Set();
    for (let i = 0; i < 200000; i++) ids.add(String(next()));
    if (ids.size < 200000) runsWithRepeats++;
  }
  console.log(`${name}: ${runsWithRepeats} of 5 runs have numbers that repeat`);
}
JS
cat >expected.txt <<'TXT'
@theinternetfolks/snowflake: 5 of 5 runs have numbers that repeat
flake-idgen: 0 of 5 runs have numbers that repeat
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
