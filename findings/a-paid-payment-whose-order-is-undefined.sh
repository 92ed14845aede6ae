#!/usr/bin/env bash
# In the stream of changes a payment that was paid has lost its order.
# Ran on 2026-12-01: postgres 3.4.9 (subscribe), pg-logical-replication 2.5.0, PostgreSQL 15, Node 20.
# Guess: an update in the stream has the row as it is now, each column with its value.
# Seen:  of an UPDATE of the status alone the large jsonb beside it is undefined, as a column that is NULL is not: that one is null. A small one is there, so the same code works for small orders. A DELETE has the key and null for each other column.
# Why:   a value of more than some 2,000 bytes is stored apart, and PostgreSQL does not send it again while it is unchanged; both clients have no word for that but undefined.
# So:    an outbox or a copy that writes what it received loses the order of each large payment at its second change: JSON.stringify leaves the field out, an upsert writes NULL. REPLICA IDENTITY FULL sends the old value beside it; otherwise leave an undefined column alone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
export PORT=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $PORT -k $dir/server -c listen_addresses=127.0.0.1 -c wal_level=logical" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent postgres@3.4.9 pg-logical-replication@2.5.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createHash } from 'node:crypto';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import postgres from 'postgres';

const options = { host: '127.0.0.1', port: Number(process.env.PORT), user: 'probe', database: 'postgres' };
const sql = postgres({ ...options, onnotice() {} });
await sql`create table payment (id text primary key, status text, note text, body jsonb)`;
await sql`create publication alltables for all tables`;
await sql`select pg_create_logical_replication_slot('probe', 'pgoutput')`;
const word = (value) => (value === undefined ? 'undefined' : value === null ? 'null' : typeof value === 'object' ? 'an object' : value);
const lines = [];
const note = (client, command, row) => lines.push(`${client}: ${command} ${row.id}: status ${word(row.status)}, note ${word(row.note)}, body ${word(row.body)}`);
await postgres({ ...options, publications: 'alltables' }).subscribe('*', (row, { command }) => note('postgres', command, row));
const service = new LogicalReplicationService(options);
service.on('data', (_, { tag, key, ...change }) => change.relation && tag !== 'relation' && note('pg-logical-replication', tag, change.new ?? key));
service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['alltables'] }), 'probe');
await new Promise((next) => setTimeout(next, 1500));
const lines1000 = Array.from({ length: 1000 }, (_, line) => createHash('sha256').update(String(line)).digest('hex'));
for (const [id, order] of [['large', lines1000], ['small', ['A-7']]]) {
  await sql`insert into payment values (${id}, 'pending', null, ${sql.json({ order })})`;
  await sql`update payment set status = 'paid' where id = ${id}`;
  await sql`delete from payment where id = ${id}`;
}
for (let wait = 0; wait < 100 && lines.length < 12; wait += 1) await new Promise((next) => setTimeout(next, 100));
console.log(lines.sort((a, b) => a.split(':')[0].localeCompare(b.split(':')[0])).join('\n'));
process.exit();
JS
cat >expected.txt <<'TXT'
pg-logical-replication: insert large: status pending, note null, body an object
pg-logical-replication: update large: status paid, note null, body undefined
pg-logical-replication: delete large: status undefined, note undefined, body undefined
pg-logical-replication: insert small: status pending, note null, body an object
pg-logical-replication: update small: status paid, note null, body an object
pg-logical-replication: delete small: status undefined, note undefined, body undefined
postgres: insert large: status pending, note null, body an object
postgres: update large: status paid, note null, body undefined
postgres: delete large: status null, note null, body null
postgres: insert small: status pending, note null, body an object
postgres: update small: status paid, note null, body an object
postgres: delete small: status null, note null, body null
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
