#!/usr/bin/env bash
# A poll for what is newer than the last row read gives the last row again, each time.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12 with pg 8.23.1, postgres 3.4.9 (Node 20) beside psycopg2 2.9.5 (Python 3.11).
# Guess: a time that was read from a column, given back as a parameter, equals the column: `made > $1` skips the row, `made = $1` finds it.
# Seen:  with pg and postgres the newest row comes back in each poll for ever, and an UPDATE that is guarded by the row's own time changes no row. psycopg2 does neither.
# Why:   timestamptz holds microseconds and Date milliseconds; the rest is cut off when the row is read.
# So:    an outbox that is read by its creation time sends its newest payment once a poll, and an optimistic lock by time never succeeds. Poll by a number, or store timestamptz(3).
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
await own.query('drop table if exists payments');
await own.query('create table payments (id int primary key, made timestamptz not null)');
await own.query("insert into payments values (1, '2026-11-30 10:00:00.123456Z'), (2, '2026-11-30 10:00:00.654321Z')");
const sql = postgres(process.env.PROBE);
const clients = {
  pg: async (text, value) => { const r = await own.query(text, [value]); return [r.rows, r.rowCount]; },
  postgres: async (text, value) => { const r = await sql.unsafe(text, [value]); return [r, r.count]; },
};
for (const [name, run] of Object.entries(clients)) {
  let last = new Date(0);
  const polls = [];
  for (let i = 0; i < 4; i++) {
    const [rows] = await run('select id, made from payments where made > $1 order by made', last);
    polls.push(rows.map((r) => r.id).join(' and ') || 'nothing');
    if (rows.length > 0) last = rows.at(-1).made;
  }
  const [, changed] = await run('update payments set id = id where made = $1', last);
  console.log(`${name}: polls give ${polls.join(', ')}; an update of the row with that time changes ${changed}`);
}
process.exit(0);
JS
cat >main.py <<'PY'
import datetime
import os

import psycopg2

c = psycopg2.connect(os.environ['PROBE']).cursor()
last = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
polls = []
for _ in range(4):
    c.execute('select id, made from payments where made > %s order by made', (last,))
    rows = c.fetchall()
    polls.append(' and '.join(str(r[0]) for r in rows) or 'nothing')
    if rows:
        last = rows[-1][1]
c.execute('update payments set id = id where made = %s', (last,))
print('psycopg2: polls give %s; an update of the row with that time changes %d' % (', '.join(polls), c.rowcount))
PY
polls() { node main.mjs && python3 main.py; }
cat >expected.txt <<'TXT'
pg: polls give 1 and 2, 2, 2, 2; an update of the row with that time changes 0
postgres: polls give 1 and 2, 2, 2, 2; an update of the row with that time changes 0
psycopg2: polls give 1 and 2, nothing, nothing, nothing; an update of the row with that time changes 1
TXT
polls 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
