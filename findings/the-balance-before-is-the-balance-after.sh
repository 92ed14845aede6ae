#!/usr/bin/env bash
# The balance before a payment, kept by the same statement, is the balance after it.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12, mysql2 3.24.6, Node 20.
# Guess: in `update account set balance = balance - 100, balance_before = balance` the right sides are the old row, as in each other database and in the standard.
# Seen:  of 1000 it makes 900 and 900; with the two assignments the other way round 900 and 1000. `fee = balance / 10` behind it is 90, where the old row has 100. In sql_mode SIMULTANEOUS_ASSIGNMENT it is 900 and 1000 in both orders.
# Why:   MariaDB assigns from left to right, and what was assigned is read.
# So:    an audit trail without any difference, and a statement whose result depends on the order in which an ORM lists its columns. Set SIMULTANEOUS_ASSIGNMENT, or name the old value first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 'libpcre2-8-0=10.42*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir data; [ "$(id -u)" != 0 ] || chown nobody data
maria() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu" "$@"; }
export PORT=$((20000 + RANDOM % 10000))
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$PORT" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'kill "$(cat "$dir/data/pid")"; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$PORT) 2>/dev/null && break; sleep 1; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mysql2@3.24.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const db = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'root' });
await db.query('create or replace database probe');
for (const mode of ['@@global.sql_mode', "concat(@@global.sql_mode, ',SIMULTANEOUS_ASSIGNMENT')"]) {
  await db.query(`set sql_mode = ${mode}`);
  for (const change of ['balance = balance - 100, balance_before = balance', 'balance_before = balance, balance = balance - 100', 'balance = balance - 100, fee = balance / 10']) {
    await db.query('create or replace table probe.account (balance int, balance_before int, fee int)');
    await db.query('insert into probe.account values (1000, 0, 0)');
    await db.query(`update probe.account set ${change}`);
    const [[row]] = await db.query('select * from probe.account');
    console.log(`${mode === '@@global.sql_mode' ? 'default' : 'SIMULTANEOUS_ASSIGNMENT'}: set ${change}: ${JSON.stringify(row)}`);
  }
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
default: set balance = balance - 100, balance_before = balance: {"balance":900,"balance_before":900,"fee":0}
default: set balance_before = balance, balance = balance - 100: {"balance":900,"balance_before":1000,"fee":0}
default: set balance = balance - 100, fee = balance / 10: {"balance":900,"balance_before":0,"fee":90}
SIMULTANEOUS_ASSIGNMENT: set balance = balance - 100, balance_before = balance: {"balance":900,"balance_before":1000,"fee":0}
SIMULTANEOUS_ASSIGNMENT: set balance_before = balance, balance = balance - 100: {"balance":900,"balance_before":1000,"fee":0}
SIMULTANEOUS_ASSIGNMENT: set balance = balance - 100, fee = balance / 10: {"balance":900,"balance_before":0,"fee":100}
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
