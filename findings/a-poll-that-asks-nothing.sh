#!/usr/bin/env bash
# A loop that waits until a payment is paid waits for ever, and does not ask the database once.
# Ran on 2026-11-30: MikroORM 6.6.16 on PostgreSQL 15 of Debian 12, pg 8.23.1, Node 20.
# Guess: findOne reads the row, so a loop sees what a webhook wrote.
# Seen:  MikroORM's em.findOne by the key gives `pending` ten times with no query, after another connection wrote `paid`. With refresh: true, or in a fork, it reads `paid`.
# Why:   an entity that is loaded in the unit of work and asked for by its key alone comes from the identity map.
# So:    an order is given up as unpaid after the last poll, though the money is there. Pass refresh: true wherever time may have passed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @mikro-orm/core@6.6.16 @mikro-orm/postgresql@6.6.16 pg@8.23.1
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';

const webhook = new pg.Client(process.env.PROBE);
await webhook.connect();
await webhook.query('drop table if exists payment; create table payment (id int primary key, status text)');
await webhook.query("insert into payment values (17, 'pending')");
let queries = 0;
const schema = new EntitySchema({ name: 'Payment', tableName: 'payment', properties: { id: { type: 'integer', primary: true }, status: { type: 'string' } } });
const orm = await MikroORM.init({ clientUrl: process.env.PROBE, entities: [schema], debug: ['query'], colors: false, logger: () => { queries += 1; } });
const em = orm.em.fork();
const first = (await em.findOne('Payment', { id: 17 })).status;
await webhook.query("update payment set status = 'paid' where id = 17");
queries = 0;
const seen = new Set();
for (let poll = 0; poll < 10; poll += 1) seen.add((await em.findOne('Payment', { id: 17 })).status);
console.log(`before the webhook ${first}; ten polls after it: ${[...seen].join()}, queries ${queries}`);
console.log('fork:', (await em.fork().findOne('Payment', { id: 17 })).status);
console.log('refresh:', (await em.findOne('Payment', { id: 17 }, { refresh: true })).status);
process.exit(0);
JS
cat >expected.txt <<'TXT'
before the webhook pending; ten polls after it: pending, queries 0
fork: paid
refresh: paid
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
