#!/usr/bin/env bash
# A search for the order 17 finds its refund and two others.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12 with mysql2 3.24.6, Node 20.
# Guess: `where order_id = 17` on a text column compares texts and finds '17', or is refused.
# Seen:  it finds '17', '017', '17-refund' and ' 17a', and so does a prepared statement that is given the number 17; `in ('x', 17)` finds them too. An update by the number is refused where such a row is in the table, and changes '017' too where only those are. With the text '17' all find one.
# Why:   a text beside a number is compared as a number, from its first digits.
# So:    a lookup by an id that JSON made a number shows another order's payment, and an update pays two. Give texts, and check their type.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir data; [ "$(id -u)" != 0 ] || chown nobody data
maria() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu" "$@"; }
port2=$((20000 + RANDOM % 10000))
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$port2" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'kill "$(cat "$dir/data/pid")"; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/"$port2") 2>/dev/null && break; sleep 1; done
my() { maria usr/bin/mariadb --no-defaults -h 127.0.0.1 -P "$port2" -u root -N -s "$@"; }
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mysql2@3.24.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const db = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'root' });
await db.query('create database probe');
await db.query('use probe');
await db.query('create table payment (order_id varchar(30) primary key, paid int default 0)');
await db.query("insert into payment (order_id) values ('17'), ('017'), ('17-refund'), (' 17a'), ('18')");
const show = async (name, sql, values, how = 'query') => {
  const [rows] = await db[how](sql, values);
  console.log(`${name}: ${rows.map((r) => `'${r.order_id}'`).sort().join(', ')}`);
};
await show('= 17', 'select order_id from payment where order_id = 17');
await show('prepared, the number 17', 'select order_id from payment where order_id = ?', [17], 'execute');
await show("in ('x', 17)", "select order_id from payment where order_id in ('x', 17)");
await show("= '17'", "select order_id from payment where order_id = '17'");
const update = async (name) => {
  const how = await db.query('update payment set paid = 1 where order_id = ?', [17]).then(([r]) => `${r.affectedRows} rows`, (e) => e.code);
  console.log(`update, ${name}: ${how}`);
};
await update('with all of them');
await db.query("delete from payment where order_id in ('17-refund', ' 17a')");
await update("with '17' and '017'");
await db.end();
JS
cat >expected.txt <<'TXT'
= 17: ' 17a', '017', '17', '17-refund'
prepared, the number 17: ' 17a', '017', '17', '17-refund'
in ('x', 17): ' 17a', '017', '17', '17-refund'
= '17': '17'
update, with all of them: ER_TRUNCATED_WRONG_VALUE
update, with '17' and '017': 2 rows
TXT
PORT=$port2 node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
