#!/usr/bin/env bash
# cel-js divides as JavaScript does, and fails a rule that its left side has already decided, though CEL is specified otherwise.
# Ran on 2026-11-30: cel-js 0.8.2 beside @marcbachmann/cel-js 8.0.0; Node 20.
# Guess: a rule in CEL means the same in each package of that name: whole numbers divide to whole numbers, `true || error` is true.
# Seen:  5/2 is 2.5, two ids beyond 2^53 are equal, and a missing field fails the rule though the other side already decides it.
# Why:   its numbers are JavaScript's, and the right side of || is evaluated also when the left one is true.
# So:    a policy tested in Node with it decides otherwise in a gateway that runs the Go implementation: instalments of 2.5, two orders that are one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent cel-js@0.8.2 @marcbachmann/cel-js@8.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import * as small from 'cel-js';
import * as full from '@marcbachmann/cel-js';

const facts = { order: {} };
const run = (evaluate, text) => { try { return String(evaluate(text, facts)); } catch (e) { return `error: ${e.message.split('\n')[0].split(' in context')[0]}`; } };
for (const text of ['5 / 2', '9007199254740993 == 9007199254740992', 'true || order.fee == 1', 'false && order.fee == 1', 'int("0010")']) {
  console.log(text.padEnd(38), '| cel-js:', run(small.evaluate, text).padEnd(36), '| @marcbachmann/cel-js:', run(full.evaluate, text));
}
JS
cat >expected.txt <<'TXT'
5 / 2                                  | cel-js: 2.5                                  | @marcbachmann/cel-js: 2
9007199254740993 == 9007199254740992   | cel-js: true                                 | @marcbachmann/cel-js: false
true || order.fee == 1                 | cel-js: error: Identifier "fee" not found    | @marcbachmann/cel-js: true
false && order.fee == 1                | cel-js: false                                | @marcbachmann/cel-js: false
int("0010")                            | cel-js: error: Macros int not recognized     | @marcbachmann/cel-js: 10
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
