#!/usr/bin/env bash
# parse-duration reads "1,5h" as 15 hours, and leaves out what it does not know.
# Ran on 2026-11-30: parse-duration 2.1.9; Node 20.
# Guess: a decimal comma is a half, or an error; a minus in the middle subtracts; an unknown unit is an error.
# Seen:  "1,5h" is 15 h, "2h-30m" is 2 h 30 min, "1d2x" is a day, "1M" is a minute. Only when nothing at all is known the result is null.
# Why:   commas are deleted as if they parted thousands; each number with a unit is looked for on its own, and added with the sign of the first.
# So:    a dedupe window or a deadline written in a German or Vietnamese configuration is ten times as long. Refuse what does not print back.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent parse-duration@2.1.9
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import parse from 'parse-duration';

for (const text of ['1.5h', '1,5h', '2h30m', '2h-30m', '-1h 30m', '1d2x', '10m 30', '1M', 'soon']) {
  const ms = parse(text);
  console.log(text.padEnd(8), ms === null ? 'null' : `${ms / 60000} minutes`);
}
JS
cat >expected.txt <<'TXT'
1.5h     90 minutes
1,5h     900 minutes
2h30m    150 minutes
2h-30m   150 minutes
-1h 30m  -90 minutes
1d2x     1440 minutes
10m 30   10.5 minutes
1M       1 minutes
soon     null
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
