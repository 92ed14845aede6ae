#!/usr/bin/env bash
# A clock that is set back by a second gives the ids of the second before again.
# Ran on 2026-12-01: nodejs-snowflake 2.0.1, snowflake-id 1.1.0, @skorotkiewicz/snowflake-id 1.0.1 beside @sapphire/snowflake 3.5.5, flake-idgen 1.4.0 and snowflake-uuid 1.0.0, Node 20.
# Guess: a generator that promises unique ids refuses, or waits, when the clock goes back, as the first one of that name did; it knows the time of its last id.
# Seen:  three of six give each id of that second a second time, without an error: 300 of 600. flake-idgen and snowflake-uuid refuse until the clock is where it was, @sapphire/snowflake goes on with its counter and repeats none.
# Why:   the number within a millisecond begins at zero whenever the millisecond is another one than the last, an earlier one too.
# So:    after a correction of the clock payments have the ids of other payments of the same process, and an upsert writes one over the other. Use a column that is unique, or ids that are drawn.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent nodejs-snowflake@2.0.1 snowflake-id@1.1.0 @skorotkiewicz/snowflake-id@1.0.1 @sapphire/snowflake@3.5.5 flake-idgen@1.4.0 snowflake-uuid@1.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import { Snowflake as Skorotkiewicz } from '@skorotkiewicz/snowflake-id';

const require = createRequire(import.meta.url);
const { Snowflake: Sapphire } = require('@sapphire/snowflake');
const Flake = require('flake-idgen');
const { Snowflake: Nodejs } = require('nodejs-snowflake');
const SnowflakeId = require('snowflake-id').default ?? require('snowflake-id');
const { Worker } = require('snowflake-uuid');

const start = 1796000000000;
let now = start;
Date.now = () => now;
const makers = {
  'nodejs-snowflake': () => { const maker = new Nodejs({ custom_epoch: 1656432460105, instance_id: 1 }); return () => maker.getUniqueID(); },
  'snowflake-id': () => { const maker = new SnowflakeId({ mid: 1 }); return () => maker.generate(); },
  '@skorotkiewicz/snowflake-id': () => { const maker = new Skorotkiewicz(1); return () => maker.generate(); },
  '@sapphire/snowflake': () => { const maker = new Sapphire(0); return () => maker.generate(); },
  'flake-idgen': () => { const maker = new Flake(); return () => maker.next().toString('hex'); },
  'snowflake-uuid': () => { const maker = new Worker(1, 1, { workerIdBits: 5, datacenterIdBits: 5, sequenceBits: 12 }); return () => maker.nextId(); },
};
for (const [name, make] of Object.entries(makers)) {
  now = start;
  const next = make();
  const known = new Set();
  let twice = 0;
  let refused = 0;
  for (let round = 0; round < 2; round += 1) {
    for (let count = 0; count < 300; count += 1) {
      now = start + Math.floor(count / 3) * 10;
      try {
        const id = String(await next());
        if (known.has(id)) twice += 1;
        known.add(id);
      } catch { refused += 1; }
    }
  }
  console.log(`${name}: of 600 ids ${twice} were given before, ${refused} were refused`);
}
JS
cat >expected.txt <<'TXT'
nodejs-snowflake: of 600 ids 300 were given before, 0 were refused
snowflake-id: of 600 ids 300 were given before, 0 were refused
@skorotkiewicz/snowflake-id: of 600 ids 300 were given before, 0 were refused
@sapphire/snowflake: of 600 ids 0 were given before, 0 were refused
flake-idgen: of 600 ids 0 were given before, 297 were refused
snowflake-uuid: of 600 ids 0 were given before, 297 were refused
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
