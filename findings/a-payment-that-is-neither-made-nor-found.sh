#!/usr/bin/env bash
# Two requests with one key come at once, and the second one neither makes the payment nor finds it.
# Ran on 2026-11-30: PostgreSQL 15 and MariaDB 10.11 of Debian 12.
# Guess: `insert ... on conflict do nothing returning` in a CTE, with a select of the same key behind it, gives one row: the new one or the one that is there. So do insert ignore and a select in one transaction.
# Seen:  in PostgreSQL the second waits for the first one's commit and gives no row. In MariaDB the second inserts nothing and selects nothing, for as long as its transaction lasts. Asked alone, or a moment later, both find it. `do update set key = excluded.key` gives the row.
# Why:   the unique index is looked at as it is now, and the select sees the snapshot from before the first one's commit.
# So:    code that takes "no row" for "not known" charges once more, only for repeats that come at once. Ask again in a new statement, or update on conflict.
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
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$((port + 1))" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'kill "$(cat "$dir/data/pid")"; wait; pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$((port + 1))) 2>/dev/null && break; sleep 1; done
mariadb() { maria usr/bin/mariadb --no-defaults -h 127.0.0.1 -P "$((port + 1))" -u root -N -s "$@"; }
rows() { xargs echo | sed 's/^$/no row/'; }
all() {
  local n=0 key first
  local made="insert into payment (key) values ('KEY') on conflict do nothing returning id"
  local both="with made as ($made) select id from made union all select id from payment where key = 'KEY'"
  local kept="insert into payment (key) values ('KEY') on conflict (key) do update set key = excluded.key returning id"
  ask -c 'create table payment (id serial primary key, key text unique)'
  for query in "$both" "$kept"; do
    key=order-$((++n))
    ask -c 'begin' -c "insert into payment (key) values ('$key')" -c 'select pg_sleep(3)' -c commit >/dev/null & first=$!
    sleep 1
    echo "PostgreSQL, ${query:0:6} ..., at once: $(ask -c "${query//KEY/$key}" | rows | sed 's/^[0-9]\+$/one row/')"
    wait "$first"
    echo "PostgreSQL, the same again: $(ask -c "${query//KEY/$key}" | rows | sed 's/^[0-9]\+$/one row/')"
  done
  mariadb -e 'create database probe; create table probe.payment (id int auto_increment primary key, name varchar(20) unique)'
  { echo 'begin; select count(*) from payment;'; sleep 3; echo "insert ignore into payment (name) values ('order-7'); select concat('inserted ', row_count()); select concat('found ', count(*)) from payment where name = 'order-7'; commit; select concat('after the commit ', count(*)) from payment where name = 'order-7';"; } | mariadb probe | tail -n +2 | rows | sed 's/^/MariaDB, at once: /' & first=$!
  sleep 1
  mariadb probe -e "insert into payment (name) values ('order-7')"
  wait "$first"
}
cat >expected.txt <<'TXT'
PostgreSQL, with m ..., at once: no row
PostgreSQL, the same again: one row
PostgreSQL, insert ..., at once: one row
PostgreSQL, the same again: one row
MariaDB, at once: inserted 0 found 0 after the commit 1
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
