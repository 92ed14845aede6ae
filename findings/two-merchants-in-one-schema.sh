#!/usr/bin/env bash
# The schema of the second merchant is said to be made, and is the one of the first.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12 with pg 8.23.1 and postgres 3.4.9, MariaDB 10.11, Node 20.
# Guess: `create schema if not exists` of two names that are alike in their first 63 letters makes two, or fails because a name is too long.
# Seen:  it reports success for both, and there is one, under the first 63 letters: the second merchant's `create table if not exists` finds the first one's table, and its payments are in it. A notice says so, which pg and postgres show to no one who did not ask. MariaDB refuses the name.
# Why:   names are cut to 63 bytes wherever they stand.
# So:    a name made of a prefix and two UUIDs is longer. Two merchants see each other's payments. Check the length, or make a short name.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
mkdir data; [ "$(id -u)" != 0 ] || chown nobody data
maria() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu" "$@"; }
port2=$((20000 + RANDOM % 10000))
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$port2" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; kill "$(cat "$dir/data/pid")"; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/"$port2") 2>/dev/null && break; sleep 1; done
my() { maria usr/bin/mariadb --no-defaults -h 127.0.0.1 -P "$port2" -u root -N -s "$@"; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg@8.23.1 postgres@3.4.9
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import pg from 'pg';
import postgres from 'postgres';

const address = { host: '127.0.0.1', port: Number(process.env.PORT), user: 'probe', database: 'postgres' };
const client = new pg.Client(address);
await client.connect();
const sql = postgres({ ...address, username: 'probe', onnotice: () => {} });
const ways = { pg: async (text) => (await client.query(text)).rows, postgres: (text) => sql.unsafe(text) };
for (const [name, run] of Object.entries(ways)) {
  const shop = `shop_${name}_0f8fad5b-d9cb-469f-a165-70867728950e_7c9e6679-7425-40de-944b`;
  for (const merchant of ['west', 'east']) {
    const schema = `"${shop}_${merchant}"`;
    await run(`create schema if not exists ${schema}`);
    await run(`create table if not exists ${schema}.payment (amount int)`);
    await run(`insert into ${schema}.payment values (1999)`);
    const [{ count }] = await run(`select count(*)::int from ${schema}.payment`);
    console.log(`${name}: ${merchant} has payments: ${count}`);
  }
}
await client.end();
await sql.end();
JS
cat >expected.txt <<'TXT'
pg: west has payments: 1
pg: east has payments: 2
postgres: west has payments: 1
postgres: east has payments: 2
MariaDB: refused, error 1102
TXT
{
PORT=$port node main.mjs
my -e 'create database `shop_pg_0f8fad5b-d9cb-469f-a165-70867728950e_7c9e6679-7425-40de-944b_west`' 2>&1 | grep -o 'ERROR [0-9]*' | sed 's/^ERROR/MariaDB: refused, error/' || true
} 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
