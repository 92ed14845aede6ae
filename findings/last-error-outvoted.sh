#!/usr/bin/env bash
# When its tries are spent, async-retry rejects with the error that came most often, not with the last one.
# Ran on 2026-11-29: async-retry 1.3.3 (over retry 0.13.1), beside p-retry 7.1.1; Node 20.
# Guess: the promise rejects with the error of the last try, as in p-retry and every retry library of Go.
# Seen:  busy, busy, timeout rejects with "busy". With maxRetryTime passed it is the last one after all. A tie gives the later.
#        Errors are counted by their message, so an order id in the text makes each of them unique.
# Why:   async-retry rejects with retry's operation.mainError(), the most frequent message; its README does not say so.
# So:    two refusals "busy: nothing was charged" and then a timeout look like "nothing was charged", though the last
#        request may have been executed. Keep every try's error in onRetry, and judge the last one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent async-retry@1.3.3 p-retry@7.1.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import asyncRetry from 'async-retry';
import pRetry from 'p-retry';

const show = async (name, errors, run) => {
  let n = 0;
  const call = async () => { throw new Error(errors[n++]); };
  const got = await run(call).catch((e) => e.message);
  console.log(`${name.padEnd(12)} ${errors.join(', ').padEnd(32)} => ${got}`);
};
const three = { retries: 2, minTimeout: 1, maxTimeout: 2 };
for (const errors of [
  ['busy', 'busy', 'timeout'],
  ['timeout', 'timeout', 'declined'],
  ['busy', 'timeout', 'declined'],
  ['busy o-1', 'busy o-2', 'timeout'],
]) {
  await show('p-retry', errors, (call) => pRetry(call, three));
  await show('async-retry', errors, (call) => asyncRetry(call, three));
}
JS
cat >expected.txt <<'TXT'
p-retry      busy, busy, timeout              => timeout
async-retry  busy, busy, timeout              => busy
p-retry      timeout, timeout, declined       => declined
async-retry  timeout, timeout, declined       => timeout
p-retry      busy, timeout, declined          => declined
async-retry  busy, timeout, declined          => declined
p-retry      busy o-1, busy o-2, timeout      => timeout
async-retry  busy o-1, busy o-2, timeout      => timeout
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
