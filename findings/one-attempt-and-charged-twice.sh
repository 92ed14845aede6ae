#!/usr/bin/env bash
# A job that is allowed one attempt is run twice, if its first run keeps the process busy.
# Ran on 2026-11-30: bullmq 6.7.0, ioredis 5.9.3, Redis 7.0.15 of Debian 12, Node 20; a lock of 1 s in place of 30 s.
# Guess: attempts: 1 means that the handler is called at most once for a job.
# Seen:  a handler that computes for longer than the lock is called a second time, with attemptsMade 0 as before; its first result is refused, and the job counts as completed once.
# Why:   the lock is renewed by a timer of the same event loop. A job whose lock ran out is put back and not counted as an attempt; attempts only counts errors.
# So:    signing a batch, a large JSON or a pause of the machine for 30 seconds sends the charge again, and no counter shows it. The handler must be safe to run twice, or maxStalledCount 0, with which the job counts as failed though it ran.
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
export PORT=$((20000 + RANDOM % 10000))
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-server" --port "$PORT" --bind 127.0.0.1 --save '' >/dev/null &
trap 'kill %1; rm -rf "$dir"' EXIT
sleep 1
cat >main.mjs <<'JS'
import { Queue, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.env.PORT), maxRetriesPerRequest: null };
for (const maxStalledCount of [undefined, 0]) {
  const name = `pay-${maxStalledCount}`;
  const queue = new Queue(name, { connection });
  const calls = [];
  const refused = [];
  const worker = new Worker(name, async (job) => {
    calls.push(`attemptsMade ${job.attemptsMade}`);
    const until = Date.now() + (calls.length === 1 ? 4000 : 0);
    while (Date.now() < until);
    return 'charged';
  }, { connection, lockDuration: 1000, stalledInterval: 500, ...(maxStalledCount === undefined ? {} : { maxStalledCount }) });
  worker.on('error', (e) => refused.push(e.message.slice(0, 12)));
  const job = await queue.add('charge', { order: 'A-17' }, { attempts: 1 });
  await new Promise((r) => setTimeout(r, 8000));
  console.log(`maxStalledCount ${maxStalledCount ?? 'by default'}: handler called ${calls.length} (${calls.join(', ')}), first error "${refused[0] ?? ''}", job ${await job.getState()}`);
  await worker.close(true);
  await queue.close();
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
maxStalledCount by default: handler called 2 (attemptsMade 0, attemptsMade 0), first error "Missing lock", job completed
maxStalledCount 0: handler called 1 (attemptsMade 0), first error "Missing lock", job failed
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
