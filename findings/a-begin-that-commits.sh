#!/usr/bin/env bash
# A begin within a transaction commits what came before it, and the rollback undoes the rest only.
# Ran on 2026-11-30: MariaDB 10.11 and PostgreSQL 15 of Debian 12.
# Guess: a begin within a transaction is refused or ignored, perhaps with a warning, and a rollback undoes all of it.
# Seen:  MariaDB commits the first half without a warning: after the rollback 900 and 0 are stored of 1000 and 0. PostgreSQL ignores the begin with a warning, and 1000 and 0 stay.
# Why:   in MariaDB, as in MySQL, a transaction that begins ends the one before with a commit.
# So:    a helper that opens a transaction of its own, called within another, takes money off one account and puts it on none. Use savepoints, or a library that counts.
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
MariaDB: 900, 0; warnings: 0
PostgreSQL: 1000, 0
TXT
{
my <<'SQL'
create database probe;
use probe;
create table account (id int primary key, balance int) engine = innodb;
insert into account values (1, 1000), (2, 0);
begin;
update account set balance = balance - 100 where id = 1;
begin;
set @warnings = @@warning_count;
update account set balance = balance + 100 where id = 2;
rollback;
select concat('MariaDB: ', group_concat(balance order by id separator ', '), '; warnings: ', @warnings) from account;
SQL
ask <<'SQL'
create table account (id int primary key, balance int);
insert into account values (1, 1000), (2, 0);
begin;
update account set balance = balance - 100 where id = 1;
begin;
update account set balance = balance + 100 where id = 2;
rollback;
select 'PostgreSQL: ' || string_agg(balance::text, ', ' order by id) from account;
SQL
} 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
