#!/usr/bin/env bash
# Of two payments that are stored together the second one's fee is dropped, because the first one has none.
# Ran on 2026-11-30: postgres 3.4.9 beside pg-promise 12.7.1, knex 3.3.0 and kysely 0.28.19, PostgreSQL 15 of Debian 12, Node 20.
# Guess: a helper that inserts a list of objects takes the columns of all of them, or refuses objects that differ.
# Seen:  postgres' sql(rows) stores [{id}, {id, fee: 30}] without the fee and without an error; in the other order it refuses. pg-promise asks for the columns. knex and kysely store the fee in both orders.
# Why:   the columns are those of the first object.
# So:    a fee, a reference or a reason that only some payments have is lost or not by the order of the batch. Name the columns: sql(rows, 'id', 'fee').
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
const knex = Knex({ client: 'pg', connection: process.env.PROBE });
const kysely = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.PROBE }) }) });
const library = pgPromise();
const promise = library(process.env.PROBE);
await sql`create table payment (id text, fee int)`;
const inserts = {
  postgres: async (rows) => sql`insert into payment ${sql(rows)}`,
  'pg-promise': async (rows) => promise.none(library.helpers.insert(rows, null, 'payment')),
  knex: async (rows) => knex('payment').insert(rows),
  kysely: async (rows) => kysely.insertInto('payment').values(rows).execute(),
};
for (const [name, insert] of Object.entries(inserts)) {
  for (const rows of [[{ id: 'a' }, { id: 'b', fee: 30 }], [{ id: 'b', fee: 30 }, { id: 'a' }]]) {
    await sql`truncate payment`;
    const refused = await insert(rows).then(() => '', () => 'refused');
    const stored = await sql`select id, fee from payment order by id`;
    console.log(`${name}, ${JSON.stringify(rows)}: ${refused || stored.map((r) => `${r.id} with fee ${r.fee}`).join(', ')}`);
  }
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
postgres, [{"id":"a"},{"id":"b","fee":30}]: a with fee null, b with fee null
postgres, [{"id":"b","fee":30},{"id":"a"}]: refused
pg-promise, [{"id":"a"},{"id":"b","fee":30}]: refused
pg-promise, [{"id":"b","fee":30},{"id":"a"}]: refused
knex, [{"id":"a"},{"id":"b","fee":30}]: a with fee null, b with fee 30
knex, [{"id":"b","fee":30},{"id":"a"}]: a with fee null, b with fee 30
kysely, [{"id":"a"},{"id":"b","fee":30}]: a with fee null, b with fee 30
kysely, [{"id":"b","fee":30},{"id":"a"}]: a with fee null, b with fee 30
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
