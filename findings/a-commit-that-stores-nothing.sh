#!/usr/bin/env bash
# A transaction in which one error was caught ends with a successful commit, and nothing is stored.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12 with pg 8.23.1, pg-promise 12.7.1, knex 3.3.0, typeorm 1.1.1, kysely 0.28.19, postgres 3.4.9 (Node 20), psycopg2 2.9.5 and psycopg 3.1.7 (Python 3.11).
# Guess: committing a transaction that the server can only roll back is an error, in each client.
# Seen:  pg, pg-promise, knex, typeorm and both Python drivers report success; the payment is not there. kysely and postgres raise an error.
# Why:   after a failed statement PostgreSQL answers COMMIT with the word ROLLBACK and no error; six of the eight don't read that word.
# So:    "insert the payment, try the audit row, ignore a duplicate, commit, charge the card" charges a card without a row. Use a savepoint or ON CONFLICT for what may fail, or look at the command's tag.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'python3-psycopg2=2.9.5*' 'python3-psycopg=3.1.7*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu PYTHONPATH=$dir/usr/lib/python3/dist-packages
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1 pg-promise@12.7.1 knex@3.3.0 typeorm@1.1.1 kysely@0.28.19 postgres@3.4.9
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
bin=$dir/usr/lib/postgresql/15/bin
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
"${as[@]}" "$bin/initdb" -D server/data -A trust -U probe >/dev/null
"${as[@]}" "$bin/pg_ctl" -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap '"${as[@]}" "$bin/pg_ctl" -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import { Kysely, PostgresDialect } from 'kysely';
import knexOf from 'knex';
import pg from 'pg';
import pgPromise from 'pg-promise';
import postgres from 'postgres';
import { DataSource } from 'typeorm';

const url = process.env.PROBE;
const own = new pg.Client(url);
await own.connect();
await own.query("create table rows (id text primary key)");

const payment = "insert into rows values ('payment')";
const audit = "insert into rows values ('audit')";
const attempt = async (client, pay) => {
  await own.query("delete from rows");
  await own.query(audit);
  let said = 'committed';
  try { await pay(); } catch (e) { said = `an error: ${e.message}`; }
  const { rows } = await own.query("select 1 from rows where id = 'payment'");
  console.log(`${client} says ${said}; payments stored: ${rows.length}`);
};
const both = async (run) => {
  await run(payment);
  try { await run(audit); } catch { /* the row is there already, which is as good */ }
};

await attempt('pg', async () => {
  const c = new pg.Client(url);
  await c.connect();
  await c.query('begin');
  await both((q) => c.query(q));
  await c.query('commit');
  await c.end();
});
await attempt('pg-promise', async () => {
  const db = pgPromise()(url);
  try { await db.tx((t) => both((q) => t.none(q))); } finally { db.$pool.end(); }
});
await attempt('knex', async () => {
  const db = knexOf({ client: 'pg', connection: url });
  try { await db.transaction((t) => both((q) => t.raw(q))); } finally { await db.destroy(); }
});
await attempt('typeorm', async () => {
  const db = await new DataSource({ type: 'postgres', url }).initialize();
  try { await db.transaction((t) => both((q) => t.query(q))); } finally { await db.destroy(); }
});
await attempt('kysely', async () => {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) });
  try {
    await db.transaction().execute((t) => both((q) => t.executeQuery({ sql: q, parameters: [], query: { kind: 'RawNode' } })));
  } finally { await db.destroy(); }
});
await attempt('postgres', async () => {
  const db = postgres(url);
  try { await db.begin((t) => both((q) => t.unsafe(q))); } finally { await db.end(); }
});
await own.end();
JS
cat >main.py <<'PY'
import os

import psycopg
import psycopg2

for driver in psycopg2, psycopg:
    own = driver.connect(os.environ["PROBE"])
    own.autocommit = True
    k = own.cursor()
    k.execute("delete from rows")
    k.execute("insert into rows values ('audit')")
    c = driver.connect(os.environ["PROBE"])
    c.cursor().execute("insert into rows values ('payment')")
    try:
        c.cursor().execute("insert into rows values ('audit')")
    except driver.Error:
        pass
    c.commit()
    k.execute("select 1 from rows where id = 'payment'")
    print(driver.__name__, "says committed; payments stored:", len(k.fetchall()))
PY
cat >run.sh <<'SH'
node main.mjs && /usr/bin/python3 main.py
SH
cat >expected.txt <<'TXT'
pg says committed; payments stored: 0
pg-promise says committed; payments stored: 0
knex says committed; payments stored: 0
typeorm says committed; payments stored: 0
kysely says an error: Transaction was rolled back instead of committed; payments stored: 0
postgres says an error: duplicate key value violates unique constraint "rows_pkey"; payments stored: 0
psycopg2 says committed; payments stored: 0
psycopg says committed; payments stored: 0
TXT
bash run.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
