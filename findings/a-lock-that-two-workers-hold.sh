#!/usr/bin/env bash
# Through pgbouncer two settlement runs hold the same advisory lock.
# Ran on 2026-11-30: pgbouncer 1.18.0 and PostgreSQL 15 of Debian 12, pg 8.23.1, Node 20.
# Guess: pg_try_advisory_lock of a second connection is false as long as the first holds the lock, or pgbouncer refuses it.
# Seen:  with pool_mode transaction it is true for both, one releases what the other holds, and a lock_timeout that one sets is the other's. PostgreSQL without pgbouncer says false. pg_try_advisory_xact_lock inside a transaction is right in both.
# Why:   between two statements a client has no session; both statements run in one session of the server, which holds the lock already and may take it again.
# So:    the guard against two runs at once is gone on the day that a pool is put in between, and no test against PostgreSQL shows it. Lock in a transaction, or a row.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'pgbouncer=1.18*' 'libc-ares2=1.18*' 'libevent-2.1-7=2.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1
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
pool=$((port + 1))
cat >pool.ini <<INI
[databases]
postgres = host=127.0.0.1 port=$port user=probe
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pool
auth_type = any
pool_mode = transaction
unix_socket_dir =
INI
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "${as[@]}" usr/sbin/pgbouncer pool.ini >pool.log 2>&1 &
trap 'kill %1; pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$pool) 2>/dev/null && break; sleep 1; done
export PORT=$port POOL=$pool
cat >main.mjs <<'JS'
import pg from 'pg';

for (const [name, port] of [['PostgreSQL', process.env.PORT], ['pgbouncer', process.env.POOL]]) {
  const open = async () => { const c = new pg.Client(`postgres://probe@127.0.0.1:${port}/postgres`); await c.connect(); return c; };
  const [first, second] = [await open(), await open()];
  const one = async (client, query) => Object.values((await client.query(query)).rows[0])[0];
  const taken = [await one(first, 'select pg_try_advisory_lock(17)'), await one(second, 'select pg_try_advisory_lock(17)')];
  const released = await one(second, 'select pg_advisory_unlock(17)');
  await first.query("set lock_timeout = '1s'");
  console.log(`${name}: first worker ${taken[0]}, second worker ${taken[1]}; the second releases the lock: ${released}; its lock_timeout ${await one(second, 'show lock_timeout')}`);
  await first.query('select pg_advisory_unlock_all()');
  await first.query('begin');
  await second.query('begin');
  console.log(`${name}, in transactions: first ${await one(first, 'select pg_try_advisory_xact_lock(17)')}, second ${await one(second, 'select pg_try_advisory_xact_lock(17)')}`);
  await first.query('rollback');
  await second.query('rollback');
  await Promise.all([first.end(), second.end()]);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
PostgreSQL: first worker true, second worker false; the second releases the lock: false; its lock_timeout 0
PostgreSQL, in transactions: first true, second false
pgbouncer: first worker true, second worker true; the second releases the lock: true; its lock_timeout 1s
pgbouncer, in transactions: first true, second false
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
