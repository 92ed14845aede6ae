#!/usr/bin/env bash
# A month that is written 1M is a minute.
# Ran on 2026-11-30: ms 2.1.3, @lukeed/ms 2.0.2, parse-duration 2.1.9, timestring 7.0.0, enhanced-ms 5.0.0, human-interval 2.0.1, Node 20.
# Guess: 1M, as date libraries and chart ranges write a month, is a month or is refused.
# Seen:  it is 60,000 ms in five of six, and 6M is six minutes; human-interval gives NaN. `1mo` is a month in two and undefined or an error in the others.
# Why:   the unit is read without regard to its case.
# So:    a hold, a lock or a remembered key that is to live for a month is gone after a minute. Write days.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent ms@2.1.3 @lukeed/ms@2.0.2 parse-duration@2.1.9 timestring@7.0.0 enhanced-ms@5.0.0 human-interval@2.0.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { parse as lukeed } from '@lukeed/ms';
import * as enhanced from 'enhanced-ms';
import humanInterval from 'human-interval';
import ms from 'ms';
import parseDuration from 'parse-duration';
import timestring from 'timestring';

const readers = { ms, '@lukeed/ms': lukeed, 'parse-duration': parseDuration, timestring: (s) => timestring(s, 'ms'), 'enhanced-ms': (s) => (enhanced.ms ?? enhanced.default)(s), 'human-interval': humanInterval };
for (const [name, read] of Object.entries(readers)) {
  const all = ['1m', '1M', '6M', '1mo'].map((text) => { try { return `${text} ${read(text)}`; } catch { return `${text} error`; } });
  console.log(`${name}: ${all.join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
ms: 1m 60000, 1M 60000, 6M 360000, 1mo undefined
@lukeed/ms: 1m 60000, 1M 60000, 6M 360000, 1mo undefined
parse-duration: 1m 60000, 1M 60000, 6M 360000, 1mo 2629800000
timestring: 1m 60000, 1M 60000, 6M 360000, 1mo error
enhanced-ms: 1m 60000, 1M 60000, 6M 360000, 1mo 2628000000
human-interval: 1m NaN, 1M NaN, 6M NaN, 1mo NaN
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
