#!/usr/bin/env bash
# The greater of a fee and a least fee that is not set is the fee in one database, and nothing in two others.
# Ran on 2026-11-30: PostgreSQL 15, MariaDB 10.11 and SQLite 3.40.1 of Debian 12.
# Guess: greatest(250, null) is null, as 250 + null and 250 > null are, in each database.
# Seen:  PostgreSQL gives 250, and least(balance, null) gives the balance. MariaDB gives null, and so does SQLite's max(250, null), so that the fee is null and a sum leaves it out.
# Why:   PostgreSQL leaves nulls out of greatest and least; the others do not.
# So:    a query that was tested on one database takes no fee, or refunds without a limit, on another. Write coalesce around each.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 2>/dev/null
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
PostgreSQL: greatest 250, least 1000, fees 750
MariaDB: greatest null, least null, fees 500
SQLite: greatest null, least null, fees 500
TXT
{
ask <<'SQL'
create table merchant (id int, fee int, least_fee int);
insert into merchant values (1, 250, null), (2, 250, 500);
select format('PostgreSQL: greatest %s, least %s, fees %s', coalesce(greatest(250, null)::text, 'null'), coalesce(least(1000, null)::text, 'null'), sum(greatest(fee, least_fee))) from merchant;
SQL
my <<'SQL'
create database probe;
use probe;
create table merchant (id int, fee int, least_fee int);
insert into merchant values (1, 250, null), (2, 250, 500);
select concat('MariaDB: greatest ', coalesce(greatest(250, null), 'null'), ', least ', coalesce(least(1000, null), 'null'), ', fees ', sum(greatest(fee, least_fee))) from merchant;
SQL
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu usr/bin/sqlite3 :memory: <<'SQL'
create table merchant (id int, fee int, least_fee int);
insert into merchant values (1, 250, null), (2, 250, 500);
select 'SQLite: greatest ' || coalesce(max(250, null), 'null') || ', least ' || coalesce(min(1000, null), 'null') || ', fees ' || sum(max(fee, least_fee)) from merchant;
SQL
} 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
