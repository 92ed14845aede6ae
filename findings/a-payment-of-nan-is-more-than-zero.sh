#!/usr/bin/env bash
# A payment whose amount is no number passes `check (amount > 0)`, and from then on every total is NaN.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12 with pg 8.23.1, postgres 3.4.9 (Node 20), psycopg2 2.9.5 (Python 3.11).
# Guess: a driver refuses NaN for a numeric column, or the check does.
# Seen:  pg, postgres and psycopg2 store NaN in numeric(12,2); the check holds; sum and max are NaN, and NaN equals NaN. An integer column, and a check with an upper bound, refuse it.
# Why:   PostgreSQL's numbers have NaN, equal to itself and greater than all others, so that they can be sorted and indexed.
# So:    Number('12,50') in one place of a Node service ends all reports. Write check (amount > 0 and amount < 1e15), or use integers.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'python3-psycopg2=2.9.5*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1 postgres@3.4.9
npm ls --depth 0 | tail -n +2
export PYTHONPATH=$dir/usr/lib/python3/dist-packages
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import pg from 'pg';
import postgres from 'postgres';

const own = new pg.Client(process.env.PROBE);
await own.connect();
await own.query('drop table if exists payments, bounded, whole');
await own.query('create table payments (payer text, amount numeric(12,2) check (amount > 0))');
await own.query('create table bounded (payer text, amount numeric(12,2) check (amount > 0 and amount < 1e9))');
await own.query('create table whole (payer text, amount bigint check (amount > 0))');
await own.query("insert into payments values ('first', 19.99)");
const sql = postgres(process.env.PROBE);
const amount = Number('12,50');
for (const table of ['payments', 'bounded', 'whole']) {
  await own.query(`insert into ${table} values ('by pg', $1)`, [amount]).then(() => console.log(`pg stores ${amount} in ${table}`), (e) => console.log(`${table}: ${e.code}`));
}
await sql`insert into payments values ('by postgres', ${amount})`.then(() => console.log('postgres stores it'), (e) => console.log(e.code));
const [row] = (await own.query("select sum(amount), max(amount), count(*) filter (where amount = 'NaN') as equal from payments")).rows;
console.log(`sum ${row.sum}, max ${row.max}, rows equal to NaN ${row.equal}`);
process.exit(0);
JS
cat >main.py <<'PY'
import decimal
import os

import psycopg2

db = psycopg2.connect(os.environ['PROBE'])
c = db.cursor()
c.execute('insert into payments values (%s, %s) returning amount', ('by psycopg2', decimal.Decimal('NaN')))
print('psycopg2 stores', c.fetchone()[0])
PY
drivers() { node main.mjs && python3 main.py; }
cat >expected.txt <<'TXT'
pg stores NaN in payments
bounded: 23514
whole: 22P02
postgres stores it
sum NaN, max NaN, rows equal to NaN 2
psycopg2 stores NaN
TXT
drivers 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
