#!/usr/bin/env bash
# INSERT IGNORE, written so that a repeated payment is no error, stores payments with other amounts.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12 (strict mode, its default), mysql2 3.24.6, Node 20.
# Guess: it leaves out a row whose key is there, and reports every other fault, as the same INSERT without IGNORE does.
# Seen:  15000000000 is stored as 2147483647, an amount that is no number as 0, none as 0, an unknown status as an empty one, and a key that is too long is cut: two payments with long keys are one. Without IGNORE each is an error.
# Why:   IGNORE turns every error of the statement into a warning, in strict mode too.
# So:    the one statement that is there against charging twice is the one without checks. Use INSERT ... ON DUPLICATE KEY UPDATE id = id, which only takes duplicates.
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
const rows = { 'an amount of 15000000000': ['A-1', 15000000000, 'paid'], 'the amount "abc"': ['A-2', 'abc', 'paid'], 'no amount': ['A-3', null, 'paid'], 'an unknown status': ['A-4', 100, 'refunded'], 'a key of 12 characters': ['A-5-long-key', 100, 'paid'] };
for (const insert of ['insert ignore into probe.payments values (?, ?, ?)', 'insert into probe.payments values (?, ?, ?) on duplicate key update id = id']) {
  await db.query("create or replace table probe.payments (id varchar(8) primary key, amount int not null, status enum('open', 'paid') not null)");
  for (const [name, values] of Object.entries(rows)) {
    const said = await db.query(insert, values).then(() => null, (e) => e.code);
    const [stored] = await db.query('select id, amount, status from probe.payments');
    await db.query('delete from probe.payments');
    console.log(`${insert.startsWith('insert ignore') ? 'INSERT IGNORE' : 'ON DUPLICATE KEY'}: ${name}: ${said ?? JSON.stringify(stored[0])}`);
  }
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
INSERT IGNORE: an amount of 15000000000: {"id":"A-1","amount":2147483647,"status":"paid"}
INSERT IGNORE: the amount "abc": {"id":"A-2","amount":0,"status":"paid"}
INSERT IGNORE: no amount: {"id":"A-3","amount":0,"status":"paid"}
INSERT IGNORE: an unknown status: {"id":"A-4","amount":100,"status":""}
INSERT IGNORE: a key of 12 characters: {"id":"A-5-long","amount":100,"status":"paid"}
ON DUPLICATE KEY: an amount of 15000000000: ER_WARN_DATA_OUT_OF_RANGE
ON DUPLICATE KEY: the amount "abc": ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
ON DUPLICATE KEY: no amount: ER_BAD_NULL_ERROR
ON DUPLICATE KEY: an unknown status: WARN_DATA_TRUNCATED
ON DUPLICATE KEY: a key of 12 characters: ER_DATA_TOO_LONG
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
