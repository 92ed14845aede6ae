#!/usr/bin/env bash
# Payments that are older than five minutes are those that are older than three, or none.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12.
# Guess: `made < now() - 300` takes off 300 seconds, as in other databases' epochs, or is refused without an interval.
# Seen:  10:12:00 - 300 is 20261130100900, three minutes less. 10:02:00 - 300 is 20261130099900, which is no time: then none is older, not even one of 09:30. 28 November + 7 is 20261135, before which lies 1 December. 31 December less 30 November is 101. No error, in strict mode.
# Why:   in arithmetic a time is the number of its digits.
# So:    a query for payments in doubt asks for some too early, and in the first minutes of each hour for none. Write `now() - interval 300 second`.
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
port=$((20000 + RANDOM % 10000))
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$port" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'kill "$(cat "$dir/data/pid")"; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null && break; sleep 1; done
cat >probe.sql <<'SQL'
create database probe;
use probe;
create table payment (id int, made datetime);
insert into payment values (1, '2026-11-30 09:30:00'), (2, '2026-11-30 10:01:59'), (3, '2026-11-30 10:08:30'), (4, '2026-11-30 10:10:00');
select concat('10:12:00 - 300: ', timestamp '2026-11-30 10:12:00' - 300, '; older: ', coalesce(group_concat(id), 'none')) from payment where made < timestamp '2026-11-30 10:12:00' - 300;
select concat('10:12:00 - interval 300 second; older: ', coalesce(group_concat(id), 'none')) from payment where made < timestamp '2026-11-30 10:12:00' - interval 300 second;
select concat('10:02:00 - 300: ', timestamp '2026-11-30 10:02:00' - 300, '; older: ', coalesce(group_concat(id), 'none')) from payment where made < timestamp '2026-11-30 10:02:00' - 300;
select concat('10:02:00 - interval 300 second; older: ', coalesce(group_concat(id), 'none')) from payment where made < timestamp '2026-11-30 10:02:00' - interval 300 second;
select concat('28 November + 7: ', date '2026-11-28' + 7, '; 1 December is before it: ', if(date '2026-12-01' < date '2026-11-28' + 7, 'yes', 'no'));
select concat('31 December - 30 November: ', date '2026-12-31' - date '2026-11-30');
SQL
cat >expected.txt <<'TXT'
10:12:00 - 300: 20261130100900; older: 1,2,3
10:12:00 - interval 300 second; older: 1,2
10:02:00 - 300: 20261130099900; older: none
10:02:00 - interval 300 second; older: 1
28 November + 7: 20261135; 1 December is before it: no
31 December - 30 November: 101
TXT
maria usr/bin/mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root -N -s <probe.sql 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
