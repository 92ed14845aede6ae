#!/usr/bin/env bash
# An order whose list of lines is empty is stored as an object.
# Ran on 2026-11-30: pg 8.23.1, knex 3.3.0, kysely 0.28.19, pg-promise 12.7.1 beside postgres 3.4.9, PostgreSQL 15 of Debian 12, Node 20.
# Guess: a list for a jsonb column is stored as it is, or refused as lists with lines are.
# Seen:  with the first four [] is stored as {}, without an error; [{"sku":"a"}] is refused, and so one writes JSON.stringify where a test had lines. postgres stores both.
# Why:   a list becomes an array of PostgreSQL, and the empty one is written {}, which is JSON as well.
# So:    refunds, retries or events that begin as an empty list are an object: `|| '[...]'` makes a list with {} in front, jsonb_array_length fails, and a consumer's loop fails months later. Pass JSON.stringify(list).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1 postgres@3.4.9 knex@3.3.0 kysely@0.28.19 pg-promise@12.7.1
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import Knex from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import pgPromise from 'pg-promise';
import postgres from 'postgres';

const sql = postgres(process.env.PROBE, { onnotice: () => {} });
const pool = new pg.Pool({ connectionString: process.env.PROBE });
const knex = Knex({ client: 'pg', connection: process.env.PROBE });
const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
const promise = pgPromise()(process.env.PROBE);
await sql`create table orders (lines jsonb)`;
const inserts = {
  pg: (lines) => pool.query('insert into orders values ($1)', [lines]),
  knex: (lines) => knex('orders').insert({ lines }),
  kysely: (lines) => kysely.insertInto('orders').values({ lines }).execute(),
  'pg-promise': (lines) => promise.none('insert into orders values ($1)', [lines]),
  'pg, JSON.stringify': (lines) => pool.query('insert into orders values ($1)', [JSON.stringify(lines)]),
  postgres: (lines) => sql`insert into orders values (${lines})`,
};
for (const [name, insert] of Object.entries(inserts)) {
  const seen = [];
  for (const lines of [[], [{ sku: 'a' }]]) {
    await sql`truncate orders`;
    const refused = await insert(lines).then(() => '', () => 'refused');
    const [row] = await sql`select lines::text as text, (lines || '[{"sku": "b"}]')::text as more from orders`;
    seen.push(`${JSON.stringify(lines)} is ${refused || `${row.text}, with one more ${row.more}`}`);
  }
  console.log(`${name}: ${seen.join('; ')}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
pg: [] is {}, with one more [{}, {"sku": "b"}]; [{"sku":"a"}] is refused
knex: [] is {}, with one more [{}, {"sku": "b"}]; [{"sku":"a"}] is refused
kysely: [] is {}, with one more [{}, {"sku": "b"}]; [{"sku":"a"}] is refused
pg-promise: [] is {}, with one more [{}, {"sku": "b"}]; [{"sku":"a"}] is refused
pg, JSON.stringify: [] is [], with one more [{"sku": "b"}]; [{"sku":"a"}] is [{"sku": "a"}], with one more [{"sku": "a"}, {"sku": "b"}]
postgres: [] is [], with one more [{"sku": "b"}]; [{"sku":"a"}] is [{"sku": "a"}], with one more [{"sku": "a"}, {"sku": "b"}]
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
