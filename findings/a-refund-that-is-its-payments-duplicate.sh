#!/usr/bin/env bash
# A refund that has its order's number as key is dropped as a duplicate of the payment; in one queue the payment is dropped for the refund.
# Ran on 2026-11-30: bullmq 6.7.0, bee-queue 2.0.0 on Redis 7.0.15 and graphile-worker 0.18.0 on PostgreSQL 15 of Debian 12, Node 20; NATS JetStream 2.9.10 of Debian 12 with nats 2.29.3; asynq v0.26.0, Go 1.26.
# Guess: a key that tells duplicates apart belongs to the name of the job or the subject: capture and refund of order-7 are two.
# Seen:  BullMQ's add gives a job named refund with the id order-7 and no error, and only the capture runs; so with its option deduplication, whose id is the capture's. JetStream acknowledges the refund and stores one message. graphile-worker changes the waiting capture into the refund. bee-queue gives a job without an id. asynq alone gives an error.
# Why:   the key belongs to the queue, the stream or the table as a whole.
# So:    a refund that nobody makes and no log shows, or goods that are refunded and were never paid. Put the kind into the key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'redis-server=5:7.0.15*' 'redis-tools=5:7.0.15*' 'libjemalloc2=5.3.0*' 'liblzf1=3.6*' 'libatomic1=12.2.0*' 'nats-server=2.9.10*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent bullmq@6.7.0 ioredis@5.9.3 bee-queue@2.0.0 graphile-worker@0.18.0 nats@2.29.3
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/hibiken/asynq@v0.26.0 2>&1 | grep -E 'added github.com/hibiken/asynq ' || true
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PORT=$((port + 1)) PROBE=postgres://probe@127.0.0.1:$port/postgres
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-server" --port "$PORT" --bind 127.0.0.1 --save '' >/dev/null &
export NATS=$((port + 2))
usr/sbin/nats-server -a 127.0.0.1 -p "$NATS" -js -sd "$dir/jetstream" >/dev/null 2>&1 &
trap 'kill %1 %2; pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
cat >main.mjs <<'JS'
import BeeQueue from 'bee-queue';
import { Queue, Worker } from 'bullmq';
import { Logger, makeWorkerUtils, runOnce } from 'graphile-worker';
import { connect } from 'nats';

const connection = { host: '127.0.0.1', port: Number(process.env.PORT), maxRetriesPerRequest: null };
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
for (const [name, options] of Object.entries({ jobId: { jobId: 'order-7' }, deduplication: { deduplication: { id: 'order-7' } } })) {
  const queue = new Queue(name, { connection });
  await queue.add('capture', { amount: 1999 }, options);
  const refund = await queue.add('refund', { amount: 500 }, options);
  const ran = [];
  const worker = new Worker(name, async (job) => { ran.push(`${job.name} ${job.data.amount}`); }, { connection });
  await wait(1500);
  console.log(`bullmq, ${name}: the second add gave job ${refund.name} ${refund.data.amount} with id ${refund.id}; ran: ${ran.join(', ')}`);
  await worker.close();
}
const bee = new BeeQueue('bee', { redis: connection });
await bee.createJob({ kind: 'capture' }).setId('order-7').save();
const second = await bee.createJob({ kind: 'refund' }).setId('order-7').save();
console.log(`bee-queue: the second save gave the id ${second.id}, waiting: ${(await bee.checkHealth()).waiting}`);
const connectionString = process.env.PROBE;
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
await utils.addJob('capture', { amount: 1999 }, { jobKey: 'order-7' });
await utils.addJob('refund', { amount: 500 }, { jobKey: 'order-7' });
const ran = [];
const task = (kind) => async ({ amount }) => { ran.push(`${kind} ${amount}`); };
await runOnce({ connectionString, logger, taskList: { capture: task('capture'), refund: task('refund') } });
console.log(`graphile-worker: ran: ${ran.join(', ')}`);
const broker = await connect({ port: Number(process.env.NATS), waitOnFirstConnect: true });
const manager = await broker.jetstreamManager();
await manager.streams.add({ name: 'PAYMENTS', subjects: ['payment.>'] });
for (const subject of ['payment.captured', 'payment.refunded']) {
  const error = await broker.jetstream().publish(subject, 'order 7', { msgID: 'order-7' }).then(() => 'none', (e) => e.message);
  console.log(`JetStream: ${subject}, error ${error}, messages in the stream: ${(await manager.streams.info('PAYMENTS')).state.messages}`);
}
process.exit(0);
JS
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/hibiken/asynq"
)

func main() {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: "127.0.0.1:" + os.Getenv("PORT")})
	for _, kind := range []string{"capture", "refund"} {
		_, err := client.Enqueue(asynq.NewTask(kind, nil), asynq.TaskID("order-7"))
		fmt.Printf("asynq: %s, error: %v\n", kind, err)
	}
}
GO
go mod tidy >/dev/null 2>&1
all() { node main.mjs && go run .; }
cat >expected.txt <<'TXT'
bullmq, jobId: the second add gave job refund 500 with id order-7; ran: capture 1999
bullmq, deduplication: the second add gave job refund 500 with id 1; ran: capture 1999
bee-queue: the second save gave the id null, waiting: 1
graphile-worker: ran: refund 500
JetStream: payment.captured, error none, messages in the stream: 1
JetStream: payment.refunded, error none, messages in the stream: 1
asynq: capture, error: <nil>
asynq: refund, error: task ID conflicts with another task
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
