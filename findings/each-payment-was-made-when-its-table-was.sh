#!/usr/bin/env bash
# Each payment was made at the moment when its table was made.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: `made timestamptz default 'now'` is the time of the insert, as the text 'now' is in an insert.
# Seen:  it is the time of the create table, for each row, and so in a `check (due > 'now')` and a view with `made > timestamptz 'now' - ...`. default now() and a 'now' in the insert itself give the insert's time.
# Why:   a literal of a known type is read when the statement is parsed, and what is kept is the instant.
# So:    with a migration and its test within one second all is right. Later each payment is too old to be asked for or to be paid back, and the view of the last hour shows more each day. Write now().
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
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
cat >expected.txt <<'TXT'
payment 1: made before its insert by 3 seconds or more: true, due in the past: null
payment 2: made before its insert by 3 seconds or more: true, due in the past: true
payment 3: made before its insert by 3 seconds or more: false, due in the past: null
the view of the last two seconds: 1 2 3
TXT
ask <<'SQL' 2>/dev/null | grep . | tee seen.txt
create table payment (id int, made timestamptz default 'now', right_one timestamptz default now(), due timestamptz check (due > 'now'));
create view last_two_seconds as select id from payment where right_one > timestamptz 'now' - interval '2 seconds';
select '' from pg_sleep(4);
insert into payment (id) values (1);
select '' from pg_sleep(4);
insert into payment (id, due) values (2, now() - interval '5 seconds');
insert into payment (id, made) values (3, 'now');
select 'payment ' || id || ': made before its insert by 3 seconds or more: ' || (made < right_one - interval '3 seconds') || ', due in the past: ' || coalesce((due < right_one)::text, 'null') from payment order by id;
select '' from pg_sleep(3);
select 'the view of the last two seconds: ' || string_agg(id::text, ' ' order by id) from last_two_seconds;
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
