#!/usr/bin/env bash
# Two payments into one account are booked in one statement, and one of them is lost.
# Ran on 2026-11-30: PostgreSQL 15 and MariaDB 10.11 of Debian 12, SQLite 3.40.1.
# Guess: `update account set balance = balance + amount from payment where account = id` adds each payment that matches, or fails when there are two.
# Seen:  of 100 and 200 PostgreSQL and MariaDB add 100, SQLite 200; each reports one row and no error. In PostgreSQL a payment and its fee that leave one account in two CTEs of one statement take one of the two, here the fee. MERGE refuses.
# Why:   a row is updated once in a statement; what else joins to it, or comes later in the statement, is passed over.
# So:    it is right in each test with one payment for an account, and wrong on the first busy day. Sum first: `from (select account, sum(amount) ... group by account)`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 2>/dev/null
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
cat >tables.sql <<'SQL'
create table account (id int primary key, balance int);
create table payment (account int, amount int);
insert into account values (1, 1000);
insert into payment values (1, 100), (1, 200);
SQL
lite() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu usr/bin/sqlite3 lite.db; }
mariadb() { maria usr/bin/mariadb --no-defaults -h 127.0.0.1 -P "$((port + 1))" -u root -N -s "$@"; }
all() {
  from='update account set balance = balance + amount from payment where account = id'
  sum='update account set balance = balance + total from (select account, sum(amount) as total from payment group by account) p where account = id'
  ask -f tables.sql
  echo "PostgreSQL, 1000 and 100 and 200: $(ask -c "begin; $from returning balance; rollback")"
  echo "PostgreSQL, summed first: $(ask -c "begin; $sum returning balance; rollback")"
  echo "PostgreSQL, less 100 and less a fee of 5 in two CTEs: $(ask -c "with p as (update account set balance = balance - 100 where id = 1), f as (update account set balance = balance - 5 where id = 1) select" -c 'select balance from account')"
  echo "PostgreSQL, MERGE: $(ask -c 'merge into account using payment on account = id when matched then update set balance = balance + amount' 2>&1 | grep -q 'MERGE 1' || echo refused)"
  { cat tables.sql; echo "$from; select 'SQLite: ' || balance || ', rows ' || changes() from account;"; } | lite
  mariadb -e 'create database probe'
  { cat tables.sql; echo "update account join payment on account = id set balance = balance + amount; select concat('rows ', row_count()); select concat('MariaDB: ', balance) from account;"; } | mariadb probe
}
cat >expected.txt <<'TXT'
PostgreSQL, 1000 and 100 and 200: 1100
PostgreSQL, summed first: 1300
PostgreSQL, less 100 and less a fee of 5 in two CTEs: 995
PostgreSQL, MERGE: refused
SQLite: 1200, rows 1
rows 1
MariaDB: 1100
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
