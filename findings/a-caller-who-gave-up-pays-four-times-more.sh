#!/usr/bin/env bash
# A caller has its timeout, and after it four more charges are made.
# Ran on 2026-12-01: @lifeomic/attempt 3.1.0, async-wait-until 2.0.31, beside p-wait-for 6.0.0, ts-retry-promise 0.8.1 and promise-poller 1.9.1, Node 20.
# Guess: when a retry or a wait has ended with its timeout, it calls nothing any more.
# Seen:  with attempt a first call that is slower than the timeout ends in an error for the caller, and when it fails it is tried again, up to maxAttempts: four calls after the end. async-wait-until goes on for ever: it asks every ten milliseconds after its TimeoutError. The others call nothing.
# Why:   the timeout rejects the promise; the loop beside it looks at the number of attempts, or at nothing.
# So:    a caller who tries again after the error has two loops of charges, and each wait for a status that was given up is a poll that never ends: a provider's limit is eaten by callers who are gone. Attempt's manual says that a timeout aborts the attempts to come. Count the calls in a test, after the error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @lifeomic/attempt@3.1.0 async-wait-until@2.0.31 p-wait-for@6.0.0 ts-retry-promise@0.8.1 promise-poller@1.9.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { retry } from '@lifeomic/attempt';
import asyncWaitUntil from 'async-wait-until';
import pWaitFor from 'p-wait-for';
import promisePoller from 'promise-poller';
import tsRetry from 'ts-retry-promise';

const sleep = (time) => new Promise((next) => setTimeout(next, time));
const { waitUntil } = asyncWaitUntil.waitUntil ? asyncWaitUntil : await import('async-wait-until');
const poller = promisePoller.default ?? promisePoller;
const ways = {
  attempt: (charge) => retry(charge, { maxAttempts: 5, delay: 10, timeout: 50 }),
  'async-wait-until': (_, ask) => waitUntil(ask, { timeout: 50, intervalBetweenAttempts: 10 }),
  'p-wait-for': (_, ask) => pWaitFor(ask, { timeout: 50, interval: 10 }),
  'ts-retry-promise': (charge) => tsRetry.retry(charge, { timeout: 50, delay: 10, retries: 4 }),
  'promise-poller': (charge) => poller({ taskFn: charge, masterTimeout: 50, interval: 10, retries: 4 }),
};
for (const [name, start] of Object.entries(ways)) {
  let ended = false;
  let late = 0;
  const call = async () => {
    if (ended) late += 1;
    await sleep(100);
  };
  const seen = await start(async () => { await call(); throw new Error('busy'); }, async () => { await call(); return false; }).then(() => 'no error', () => 'an error');
  ended = true;
  const counts = [];
  for (let wait = 0; wait < 2; wait += 1) {
    await sleep(1500);
    counts.push(late);
  }
  console.log(`${name}: the caller has ${seen}; calls after it: ${late === 0 ? 'none' : counts[1] > counts[0] ? 'more and more' : late}`);
}
process.exit();
JS
cat >expected.txt <<'TXT'
attempt: the caller has an error; calls after it: 4
async-wait-until: the caller has an error; calls after it: more and more
p-wait-for: the caller has an error; calls after it: none
ts-retry-promise: the caller has an error; calls after it: none
promise-poller: the caller has an error; calls after it: none
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
