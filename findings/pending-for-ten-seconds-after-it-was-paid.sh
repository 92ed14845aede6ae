#!/usr/bin/env bash
# A breaker that joins equal calls answers a poll from ten seconds ago, and a failure once for all that ask in that time.
# Ran on 2026-11-30: opossum 10.0.0, Node 20.
# Guess: with coalesce: true, calls with the same arguments are joined while the first one is under way; the next call asks anew.
# Seen:  the payment is paid after the first poll, and the next three polls still say pending; the function ran once. After one timeout of the provider the next three callers get that timeout without a call. With coalesceResetOn the provider is asked each time.
# Why:   the joined call stays in the cache for coalesceTTL, which is the breaker's timeout (10 s) unless it is set, whether it has ended or not, and also if it failed.
# So:    a status is asked for again and again and never looked at, and a retry around the breaker retries nothing. Set coalesceResetOn to success, error and timeout.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent opossum@10.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import CircuitBreaker from 'opossum';

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
async function poll(name, options, answer) {
  let calls = 0;
  const breaker = new CircuitBreaker(async () => answer(++calls), { volumeThreshold: 100, ...options });
  const seen = [];
  for (let i = 0; i < 4; i += 1) {
    seen.push(await breaker.fire('order-7').catch((error) => `error: ${error.message}`));
    await wait(50);
  }
  console.log(`${name}: ${seen.join(', ')}; the provider was asked ${calls} times`);
}
const status = (call) => (call === 1 ? 'pending' : 'paid');
const flaky = (call) => { if (call === 1) throw new Error('timeout'); return 'paid'; };
const reset = { coalesce: true, coalesceResetOn: ['success', 'error', 'timeout'] };
await poll('status, without coalesce', {}, status);
await poll('status, coalesce', { coalesce: true }, status);
await poll('status, coalesce and coalesceResetOn', reset, status);
await poll('one timeout, without coalesce', {}, flaky);
await poll('one timeout, coalesce', { coalesce: true }, flaky);
await poll('one timeout, coalesce and coalesceResetOn', reset, flaky);
process.exit(0);
JS
cat >expected.txt <<'TXT'
status, without coalesce: pending, paid, paid, paid; the provider was asked 4 times
status, coalesce: pending, pending, pending, pending; the provider was asked 1 times
status, coalesce and coalesceResetOn: pending, paid, paid, paid; the provider was asked 4 times
one timeout, without coalesce: error: timeout, paid, paid, paid; the provider was asked 4 times
one timeout, coalesce: error: timeout, error: timeout, error: timeout, error: timeout; the provider was asked 1 times
one timeout, coalesce and coalesceResetOn: error: timeout, paid, paid, paid; the provider was asked 4 times
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
