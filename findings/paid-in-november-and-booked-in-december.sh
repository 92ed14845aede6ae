#!/usr/bin/env bash
# A payment of the last half second of November is stored as one of December.
# Ran on 2026-11-30: PostgreSQL 15 and MariaDB 10.11 of Debian 12.
# Guess: a column that keeps whole seconds, timestamp(0), cuts the rest off: 23:59:59.7 on 30 November stays on 30 November.
# Seen:  PostgreSQL stores 1 December, 00:00:00, in a column and in a cast, and time(0) is 24:00:00. 10:00:00.5 is 10:00:01. MariaDB's datetime cuts it off.
# Why:   PostgreSQL rounds to the precision of the column, MariaDB cuts.
# So:    a statement of November lacks a payment, a time lies in the future, and two databases have the same payment in two months. Use date_trunc, or keep microseconds.
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
cat >expected.txt <<'TXT'
PostgreSQL, timestamp(0): 2026-12-01 00:00:00, in November: none
PostgreSQL, timestamptz(0) of 10:00:00.5: 10:00:01
PostgreSQL, time(0): 24:00:00
PostgreSQL, date_trunc: 2026-11-30 23:59:59
MariaDB, datetime: 2026-11-30 23:59:59, in November: 1
TXT
{
ask <<'SQL'
create table payment (made timestamp(0));
insert into payment values ('2026-11-30 23:59:59.7');
select format('PostgreSQL, timestamp(0): %s, in November: %s', made, case when made < '2026-12-01' then '1' else 'none' end) from payment;
select format('PostgreSQL, timestamptz(0) of 10:00:00.5: %s', to_char('2026-11-30 10:00:00.5'::timestamptz(0), 'HH24:MI:SS'));
select format('PostgreSQL, time(0): %s', '23:59:59.7'::time(0));
select format('PostgreSQL, date_trunc: %s', date_trunc('second', timestamp '2026-11-30 23:59:59.7'));
SQL
my <<'SQL'
create database probe;
use probe;
create table payment (made datetime);
insert into payment values ('2026-11-30 23:59:59.7');
select concat('MariaDB, datetime: ', made, ', in November: ', if(made < '2026-12-01', '1', 'none')) from payment;
SQL
} 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
