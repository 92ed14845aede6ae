#!/usr/bin/env bash
# Aborting a cockatiel retry while it waits does not end the wait, and the call is made once more afterwards.
# Ran on 2026-11-29: cockatiel 3.2.1; Node 20.
# Guess: an abort during the pause between two tries rejects at once, and nothing is called again (p-retry does so).
# Seen:  the pause runs to its end, then the function is called with a signal that is already aborted. With a timeout
#        wrapped around the retry, the caller gets its TaskCancelledError, and a call starts after that.
# Why:   RetryPolicy looks at the signal before it waits, never after; the wait is a plain timer.
# So:    one more payment request leaves after the customer's request was given up, unless the function itself looks at
#        the signal first: start it with signal.throwIfAborted().
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent cockatiel@3.2.1 p-retry@7.1.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { ConstantBackoff, handleAll, retry, timeout, TimeoutStrategy, wrap } from 'cockatiel';
import pRetry from 'p-retry';
import { setTimeout as sleep } from 'node:timers/promises';

const run = async (name, start) => {
  let calls = 0, aborted;
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('given up')), 100);
  const call = (context) => { calls++; aborted = context?.signal?.aborted; throw new Error('busy'); };
  const begin = Date.now();
  const result = await start(call, stop.signal).catch((e) => e.message);
  const early = Date.now() - begin < 300;
  const before = calls;
  await sleep(700);
  console.log(`${name}: "${result}", ${early ? 'at the abort' : 'after the pause'}, ` +
    `calls ${before} then, ${calls} in the end` + (aborted ? ', the last with an aborted signal' : ''));
};
const policy = () => retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(500) });
await run('p-retry', (call, signal) => pRetry(call, { retries: 3, minTimeout: 500, factor: 1, signal }));
await run('cockatiel retry', (call, signal) => policy().execute(call, signal));
await run('cockatiel timeout around retry', (call) => wrap(timeout(100, TimeoutStrategy.Aggressive), policy()).execute(call));
JS
cat >expected.txt <<'TXT'
p-retry: "given up", at the abort, calls 1 then, 1 in the end
cockatiel retry: "busy", after the pause, calls 2 then, 2 in the end, the last with an aborted signal
cockatiel timeout around retry: "Operation timed out after 100ms", at the abort, calls 1 then, 2 in the end, the last with an aborted signal
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
