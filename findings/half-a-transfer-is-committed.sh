#!/usr/bin/env bash
# A transfer whose second half waited too long for a lock is committed with its first half only.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12, mysql2 3.24.6, Node 20.
# Guess: after the error the transaction is over, or a COMMIT of it fails, as in PostgreSQL.
# Seen:  the error says `try restarting transaction`, COMMIT succeeds, and 100 have left the first account and arrived nowhere.
# Why:   a timed-out lock rolls back the one statement, unless the server runs with innodb_rollback_on_timeout.
# So:    code that logs the error of an `unimportant` statement and goes on to the commit stores half. Roll back after each error, whatever its code.
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

const options = { host: '127.0.0.1', port: Number(process.env.PORT), user: 'root' };
const own = await mysql.createConnection(options);
await own.query('create or replace database probe');
await own.query('create table probe.account (id int primary key, amount int) engine=innodb');
await own.query('insert into probe.account values (1, 1000), (2, 0)');
const transfer = await mysql.createConnection(options);
await transfer.query('set innodb_lock_wait_timeout = 1');
await own.query('begin');
await own.query('update probe.account set amount = amount where id = 2');
await transfer.query('begin');
for (const change of ['amount - 100 where id = 1', 'amount + 100 where id = 2']) {
  await transfer.query(`update probe.account set amount = ${change}`).then(() => console.log(`${change}: done`), (e) => console.log(`${change}: ${e.code} ${e.message}`));
}
await transfer.query('commit').then(() => console.log('commit: done'), (e) => console.log(`commit: ${e.code}`));
await own.query('rollback');
console.log('accounts:', (await own.query('select amount from probe.account order by id'))[0].map((r) => r.amount).join(' and '));
process.exit(0);
JS
cat >expected.txt <<'TXT'
amount - 100 where id = 1: done
amount + 100 where id = 2: ER_LOCK_WAIT_TIMEOUT Lock wait timeout exceeded; try restarting transaction
commit: done
accounts: 900 and 0
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
