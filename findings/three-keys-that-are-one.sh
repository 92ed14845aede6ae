#!/usr/bin/env bash
# Idempotency keys that differ in the case of a letter, in an accent or in a space at the end are one key.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12, mysql2 3.24.6, Node 20.
# Guess: a primary key over a varchar tells texts apart that differ.
# Seen:  after A7-key, the keys a7-key, A-with-accent 7-key and `A7-key ` are duplicates; a lookup of a7-key finds the payment of A7-key. In a column with utf8mb4_bin only the space is lost; varbinary keeps all four.
# Why:   the default collation compares letters without case and accents and fills up with spaces, for uniqueness too.
# So:    a random key of 64 letters and digits has the strength of 38, and a lookup gives one payer's result to another. Declare key columns varbinary, or with a binary collation that does not pad (utf8mb4_nopad_bin).
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
for (const type of ['varchar(40)', 'varchar(40) character set utf8mb4 collate utf8mb4_bin', 'varchar(40) character set utf8mb4 collate utf8mb4_nopad_bin', 'varbinary(40)']) {
  await db.query(`create or replace table probe.payments (k ${type} primary key, payer varchar(20))`);
  await db.query("insert into probe.payments values ('A7-key', 'the first payer')");
  const said = [];
  for (const key of ['a7-key', '\u00c17-key', 'A7-key ']) {
    const [rows] = await db.query('select payer from probe.payments where k = ?', [key]);
    said.push(`${JSON.stringify(key)} ${rows.length > 0 ? `finds ${rows[0].payer}` : 'finds nothing'}`);
  }
  console.log(`${type}: ${said.join(', ')}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
varchar(40): "a7-key" finds the first payer, "Á7-key" finds the first payer, "A7-key " finds the first payer
varchar(40) character set utf8mb4 collate utf8mb4_bin: "a7-key" finds nothing, "Á7-key" finds nothing, "A7-key " finds the first payer
varchar(40) character set utf8mb4 collate utf8mb4_nopad_bin: "a7-key" finds nothing, "Á7-key" finds nothing, "A7-key " finds nothing
varbinary(40): "a7-key" finds nothing, "Á7-key" finds nothing, "A7-key " finds nothing
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
