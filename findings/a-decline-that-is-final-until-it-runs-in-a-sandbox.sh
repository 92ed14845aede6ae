#!/usr/bin/env bash
# A declined card is charged once in the worker's own process, and four times in a sandbox.
# Ran on 2026-12-01: bullmq 6.7.0, ioredis 5.9.3, Redis 7.0.15, Node 20.
# Guess: an error of a class that extends UnrecoverableError ends the retries wherever the processor runs.
# Seen:  in the worker's process it does, after one call of four. In a sandboxed processor, a file that runs in a child process or a worker thread, the same error is tried four times; only an UnrecoverableError itself, or an error whose name is that, ends them.
# Why:   the sandbox hands over the error's message, stack and name, and the parent compares the name, as no class is left.
# So:    moving a processor into a file of its own, as one does for a slow one, turns each final decline into four charges, and no test of the function sees it. Set the name of such an error to UnrecoverableError.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'redis-server=5:7.0.15*' 'redis-tools=5:7.0.15*' 'libjemalloc2=5.3.0*' 'liblzf1=3.6*' 'libatomic1=12.2.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent bullmq@6.7.0 ioredis@5.9.3
npm ls --depth 0 | tail -n +2
cat >processor.cjs <<'JS'
const fs = require('node:fs');
const { UnrecoverableError } = require('bullmq');

class Declined extends UnrecoverableError {
  name = 'Declined';
}
class Named extends UnrecoverableError {
  name = 'UnrecoverableError';
}
const kinds = { plain: UnrecoverableError, subclass: Declined, named: Named };
module.exports = async (job) => {
  fs.appendFileSync('calls.txt', `${job.data.way} ${job.name}\n`);
  throw new kinds[job.name]('card declined');
};
JS
export PORT=$((20000 + RANDOM % 10000))
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-server" --port "$PORT" --bind 127.0.0.1 --save '' >/dev/null &
trap 'kill %1; rm -rf "$dir"' EXIT
sleep 1
cat >main.mjs <<'JS'
import fs from 'node:fs';
import { Queue, Worker } from 'bullmq';
import processor from './processor.cjs';

const connection = { host: '127.0.0.1', port: Number(process.env.PORT), maxRetriesPerRequest: null };
const file = new URL('./processor.cjs', import.meta.url).pathname;
const ways = [['own process', processor, {}], ['child process', file, {}], ['worker thread', file, { useWorkerThreads: true }]];
for (const [way, run, options] of ways) {
  const queue = new Queue(way.replace(' ', '-'), { connection });
  for (const kind of ['plain', 'subclass', 'named']) await queue.add(kind, { way }, { attempts: 4 });
  const worker = new Worker(queue.name, run, { connection, ...options });
  while ((await queue.getJobCounts('failed')).failed < 3) await new Promise((next) => setTimeout(next, 50));
  await worker.close();
  await queue.close();
  const calls = fs.readFileSync('calls.txt', 'utf8').trim().split('\n');
  for (const [kind, what] of [['plain', 'UnrecoverableError'], ['subclass', 'Declined extends UnrecoverableError'], ['named', 'the same with the name UnrecoverableError']]) {
    console.log(`${way}, ${what}: called ${calls.filter((line) => line === `${way} ${kind}`).length} of 4 times`);
  }
}
process.exit();
JS
cat >expected.txt <<'TXT'
own process, UnrecoverableError: called 1 of 4 times
own process, Declined extends UnrecoverableError: called 1 of 4 times
own process, the same with the name UnrecoverableError: called 1 of 4 times
child process, UnrecoverableError: called 1 of 4 times
child process, Declined extends UnrecoverableError: called 4 of 4 times
child process, the same with the name UnrecoverableError: called 1 of 4 times
worker thread, UnrecoverableError: called 1 of 4 times
worker thread, Declined extends UnrecoverableError: called 4 of 4 times
worker thread, the same with the name UnrecoverableError: called 1 of 4 times
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
