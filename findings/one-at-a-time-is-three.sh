#!/usr/bin/env bash
# A p-queue with concurrency 1 runs three calls at once when it has a timeout.
# Ran on 2026-11-30: p-queue 9.3.5; Node 20.
# Guess: concurrency 1 means that no two calls overlap; a call that is too late keeps its place until it ends.
# Seen:  at the timeout the place is free, though the call goes on: three payments of one customer are under way together.
# Why:   the timeout is a race beside the call's promise, which nothing stops.
# So:    a queue of one is no lock as soon as a timeout is set. After a timeout ask what became of the call, or pass on its AbortSignal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent p-queue@9.3.5
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import PQueue from 'p-queue';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
for (const options of [{ concurrency: 1 }, { concurrency: 1, timeout: 50 }]) {
  let now = 0, most = 0, ended = 0;
  const call = async () => { most = Math.max(most, ++now); await sleep(200); now--; ended++; };
  const queue = new PQueue(options);
  const results = await Promise.allSettled([1, 2, 3].map(() => queue.add(call)));
  await sleep(300);
  console.log(JSON.stringify(options), 'at once:', most, '| ended:', ended, '| results:', results.map((r) => r.status).join(' '));
}
JS
cat >expected.txt <<'TXT'
{"concurrency":1} at once: 1 | ended: 3 | results: fulfilled fulfilled fulfilled
{"concurrency":1,"timeout":50} at once: 3 | ended: 3 | results: rejected rejected rejected
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
