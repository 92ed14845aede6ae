#!/usr/bin/env bash
# A test that moves the clock past a payment's timeout sees no timeout, and stays green.
# Ran on 2026-11-30: @sinonjs/fake-timers 15.5.0, node:test of Node 20.20.2.
# Guess: AbortSignal.timeout(5000) is aborted when a fake clock has moved by 60 seconds, as a setTimeout is.
# Seen:  it is not, with either clock, while setTimeout fires: the code after the timeout never runs in the test.
# Why:   the signal's timer lives inside Node, where neither clock replaces anything.
# So:    `fetch(url, { signal: AbortSignal.timeout(5000) })` is the usual way to bound a call, and its silent case is the one that must be tested. Make the signal with a setTimeout of one's own, or let the test's server be silent in real time.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @sinonjs/fake-timers@15.5.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import FakeTimers from '@sinonjs/fake-timers';
import { mock } from 'node:test';

const attempt = async (name, move) => {
  const signal = AbortSignal.timeout(5000);
  const own = new AbortController();
  setTimeout(() => own.abort(), 5000);
  await move();
  console.log(`${name}: a minute later AbortSignal.timeout(5000) is aborted: ${signal.aborted}; with setTimeout: ${own.signal.aborted}`);
};
const clock = FakeTimers.install();
await attempt('fake-timers', () => clock.tickAsync(60000));
clock.uninstall();
mock.timers.enable();
await attempt('node:test', () => mock.timers.tick(60000));
mock.timers.reset();
process.exit(0);
JS
cat >expected.txt <<'TXT'
fake-timers: a minute later AbortSignal.timeout(5000) is aborted: false; with setTimeout: true
node:test: a minute later AbortSignal.timeout(5000) is aborted: false; with setTimeout: true
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
