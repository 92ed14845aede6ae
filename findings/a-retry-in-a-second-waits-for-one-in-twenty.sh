#!/usr/bin/env bash
# A payment that is to be tried again in a second waits until another one's twenty seconds are over.
# Ran on 2026-11-30: RabbitMQ 3.10.8 of Debian 12, amqplib 2.3.1, Node 20.
# Guess: a message with an expiration goes to the dead-letter queue when its own time is over.
# Seen:  in a queue of retries the second message, with an expiration of 1 s, comes out after the first one, whose expiration is 20 s. With a queue for each delay they come after 1 s and 20 s.
# Why:   a message's expiration is looked at when it has come to the head of its queue.
# So:    with pauses that grow, one payment at its last try of an hour holds up the first tries of all others, and a status is asked for too late. Use a queue for each delay, with x-message-ttl.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'rabbitmq-server=3.10.8*' erlang-{base,asn1,crypto,eldap,ftp,inets,mnesia,os-mon,parsetools,public-key,runtime-tools,snmp,ssl,syntax-tools,tftp,tools,xmerl}=1:25.2* libsctp1 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
sed -i "s#=\"*/usr/lib/erlang\"*#=$dir/usr/lib/erlang#" usr/lib/erlang/bin/erl
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent amqplib@2.3.1
npm ls --depth 0 | tail -n +2
export PORT=$((20000 + RANDOM % 10000))
rabbit=$dir/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8
export PATH=$dir/usr/lib/erlang/bin:$PATH LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu RABBITMQ_HOME=$rabbit RABBITMQ_NODE_PORT=$PORT RABBITMQ_DIST_PORT=$((PORT + 1)) ERL_EPMD_PORT=$((PORT + 2)) ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_MNESIA_BASE=$dir/mnesia RABBITMQ_LOGS=- RABBITMQ_NODENAME=probe@localhost RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ENABLED_PLUGINS_FILE=$dir/plugins RABBITMQ_CONFIG_FILE=$dir/broker
echo '[].' >plugins
echo "listeners.tcp.local = 127.0.0.1:$PORT" >broker.conf
usr/lib/erlang/erts-13.1.5/bin/epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >/dev/null 2>&1 &
HOME=$dir sh "$rabbit/sbin/rabbitmq-server" >broker.log 2>&1 &
trap 'kill %2; wait %2; kill %1; rm -rf "$dir"' EXIT
for _ in $(seq 120); do (: </dev/tcp/127.0.0.1/$PORT) 2>/dev/null && break; sleep 1; done
cat >main.mjs <<'JS'
import amqp from 'amqplib';

const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${process.env.PORT}`);
const channel = await connection.createChannel();
const wait = async (queues) => {
  const due = await channel.assertQueue('', { exclusive: true });
  for (const queue of new Set(queues)) await channel.assertQueue(queue, { exclusive: true, deadLetterExchange: '', deadLetterRoutingKey: due.queue });
  const start = Date.now();
  [20, 1].forEach((seconds, i) => channel.sendToQueue(queues[i], Buffer.from(`${seconds} s`), { expiration: `${seconds}000` }));
  const came = [];
  await new Promise((done) => {
    channel.consume(due.queue, (m) => {
      came.push(`${m.content} ${Date.now() - start < 15000 ? 'before' : 'after'} the 15th second`);
      if (came.length === 2) done();
    }, { noAck: true });
  });
  return came.join(', ');
};
console.log('one queue:', await wait(['retries', 'retries']));
console.log('a queue for each delay:', await wait(['retries of 20 s', 'retries of 1 s']));
process.exit(0);
JS
cat >expected.txt <<'TXT'
one queue: 20 s after the 15th second, 1 s after the 15th second
a queue for each delay: 1 s before the 15th second, 20 s after the 15th second
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
