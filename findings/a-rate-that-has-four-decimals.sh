#!/usr/bin/env bash
# A thousand million dong, times one divided by 26,000, are 38461.00 dollars; divided by 26,000 they are 38461.54; in a table of inverse rates they are nothing.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12, mysql2 3.24.6, Node 20.
# Guess: a quotient of exact numbers has enough digits, or at least the same in all these places.
# Seen:  1/26000 is 0.0000. 1000000000 * (1/26000) is 38461.0000, 1000000000 / 26000 is 38461.5385; `create table inverse as select 1/rate` makes a column of four decimals, in which the rate is 0. With div_precision_increment = 12 the first is 38461.538461538000, and that of the stored rate 38461.538.
# Why:   a quotient has four decimals more than the number divided; inside an expression a few more are kept, in groups of nine digits, and then cut.
# So:    converting back and forth loses cents, and a view or a table of rates loses all. Divide amounts, never multiply by a quotient, and set div_precision_increment.
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
await db.query('create table probe.rates (currency char(3), rate int)');
await db.query("insert into probe.rates values ('VND', 26000)");
for (const digits of [4, 12]) {
  await db.query(`set div_precision_increment = ${digits}`);
  await db.query('create or replace table probe.inverse as select currency, 1 / rate as rate from probe.rates');
  const [[r]] = await db.query('select 1 / rate as inverse, 1000000000 * (1 / rate) as times, 1000000000 / rate as divided, (select 1000000000 * rate from probe.inverse) as stored from probe.rates');
  console.log(`${digits} digits: 1 / rate is ${r.inverse}, amount * (1 / rate) ${r.times}, amount / rate ${r.divided}, amount * stored inverse ${r.stored}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
4 digits: 1 / rate is 0.0000, amount * (1 / rate) 38461.0000, amount / rate 38461.5385, amount * stored inverse 0.0000
12 digits: 1 / rate is 0.000038461538, amount * (1 / rate) 38461.538461538000, amount / rate 38461.538461538462, amount * stored inverse 38461.538000000000
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
