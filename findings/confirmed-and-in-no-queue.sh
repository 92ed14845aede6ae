#!/usr/bin/env bash
# A notice of a payment that the broker confirmed is in no queue, or was thrown out again.
# Ran on 2026-11-30: RabbitMQ 3.10.8 of Debian 12, amqplib 2.3.1, Node 20.
# Guess: a publisher confirm means that a queue has the message; a message for which there is no queue, or no room, is refused.
# Seen:  a message with a key that no queue is bound to (payment.payed for payment.paid) is confirmed; with mandatory it is returned and confirmed too. Of four confirmed messages to a queue with a maximum length of two the last two are there. With x-overflow reject-publish the third and fourth are refused.
# Why:   a confirm says that the broker has dealt with a message, and dropping it is one way; a full queue drops at its head.
# So:    an outbox deletes its row on the confirm, and the payment is nowhere. Publish as mandatory and take a return for a failure, give the exchange an alternate one, and set reject-publish.
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
const channel = await connection.createConfirmChannel();
let returned = 0;
channel.on('return', () => { returned += 1; });
const publish = (exchange, key, options = {}) => new Promise((done) => { channel.publish(exchange, key, Buffer.from('order 17'), { persistent: true, ...options }, (e) => done(e ? 'refused' : 'confirmed')); });
await channel.assertExchange('payments', 'topic', { durable: true });
await channel.assertQueue('ledger', { durable: true });
await channel.bindQueue('ledger', 'payments', 'payment.paid');
for (const [key, options] of [['payment.paid', {}], ['payment.payed', {}], ['payment.payed', { mandatory: true }]]) {
  const before = returned;
  const said = await publish('payments', key, options);
  console.log(`${key}${options.mandatory ? ', mandatory' : ''}: ${said}${returned > before ? ' and returned' : ''}, in the queue ${(await channel.checkQueue('ledger')).messageCount}`);
}
for (const [name, more] of [['full', {}], ['strict', { overflow: 'reject-publish' }]]) {
  await channel.assertQueue(name, { durable: true, maxLength: 2, ...more });
  const said = [];
  for (let i = 1; i <= 4; i += 1) said.push(await new Promise((done) => { channel.sendToQueue(name, Buffer.from(`${i}`), {}, (e) => done(e ? 'refused' : 'confirmed')); }));
  const kept = [];
  for (let m = await channel.get(name, { noAck: true }); m; m = await channel.get(name, { noAck: true })) kept.push(m.content.toString());
  console.log(`maxLength 2${more.overflow ? `, ${more.overflow}` : ''}: ${said.join(', ')}; kept ${kept.join(' and ')}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
payment.paid: confirmed, in the queue 1
payment.payed: confirmed, in the queue 1
payment.payed, mandatory: confirmed and returned, in the queue 1
maxLength 2: confirmed, confirmed, confirmed, confirmed; kept 3 and 4
maxLength 2, reject-publish: confirmed, confirmed, refused, refused; kept 1 and 2
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
