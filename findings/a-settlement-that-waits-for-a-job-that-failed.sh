#!/usr/bin/env bash
# A payout that waits for two captures waits for ever if one of them failed for good, and is in no list of failed jobs.
# Ran on 2026-11-30: bullmq 6.7.0 on Redis 7.0.15 of Debian 12, Node 20.
# Guess: when a child of a flow has failed for the last time, its parent fails, or runs and can see it.
# Seen:  the parent stays in `waiting-children`; it does not run, does not fail, emits nothing, and the counts of waiting, delayed and failed of its queue are 0. With failParentOnFailure on the child it fails.
# Why:   a parent is released when its last child has completed; a failed one never does.
# So:    the merchant's money stays where it is, and a monitor of failed jobs and of the length of the queue shows nothing. Set failParentOnFailure or continueParentOnFailure for each child, and watch waiting-children.
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
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.env.PORT), maxRetriesPerRequest: null };
const flows = new FlowProducer({ connection });
new Worker('captures', async (job) => { if (job.name === 'declined') throw new Error('declined'); }, { connection });
for (const opts of [undefined, { failParentOnFailure: true }]) {
  const queueName = `payouts-${opts ? 'strict' : 'plain'}`;
  const events = [];
  const listener = new QueueEvents(queueName, { connection });
  await listener.waitUntilReady();
  for (const name of ['completed', 'failed', 'stalled']) listener.on(name, () => events.push(name));
  new Worker(queueName, async () => { events.push('ran'); }, { connection });
  const { job } = await flows.add({ name: 'payout', queueName, children: ['paid', 'declined'].map((name) => ({ name, queueName: 'captures', opts })) });
  await new Promise((done) => { setTimeout(done, 4000); });
  const counts = await new Queue(queueName, { connection }).getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed');
  console.log(`${opts ? 'failParentOnFailure' : 'default'}: the payout is ${await job.getState()}; ${Object.entries(counts).map(([k, n]) => `${k} ${n}`).join(', ')}; events: ${events.join(', ') || 'none'}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
default: the payout is waiting-children; waiting 0, active 0, delayed 0, completed 0, failed 0; events: none
failParentOnFailure: the payout is failed; waiting 0, active 0, delayed 0, completed 0, failed 1; events: failed
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
