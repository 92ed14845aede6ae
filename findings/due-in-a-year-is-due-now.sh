#!/usr/bin/env bash
# A payment that is to be asked for in a year is due now.
# Ran on 2026-11-30: SQLite 3.40.1 of Debian 12.
# Guess: `due + 60 < strftime('%s', 'now')` compares numbers, as `due < strftime('%s', 'now')` does.
# Seen:  it is true for each row, also for one that is due in a year; `>` is true for none. So it is for max(due), for coalesce(due, 0), for a column of a subquery with an expression, and for a due time in JSON. The column alone is right.
# Why:   strftime gives a text. A column brings its affinity into the comparison and an expression has none, and then each number is less than each text.
# So:    a pause of a minute that is added to a query that was right sends every payment at each poll. Use unixepoch() or cast the right side.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
cat >expected.txt <<'TXT'
due < now: 1
due + 60 < now: 1,2
due + 60 > now: none
coalesce(due, 0) < now: 1,2
max(due) < now: yes
due in a subquery + 0 < now: 1,2
body ->> due < now: 1,2
due + 60 < unixepoch(): 1
TXT
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu usr/bin/sqlite3 :memory: <<'SQL' 2>/dev/null | tee seen.txt
create table payment (id integer primary key, due integer, body text);
insert into payment (id, due) values (1, strftime('%s', 'now') - 3600), (2, strftime('%s', 'now') + 31536000);
update payment set body = json_object('due', due);
select 'due < now: ' || group_concat(id) from payment where due < strftime('%s', 'now');
select 'due + 60 < now: ' || group_concat(id) from payment where due + 60 < strftime('%s', 'now');
select 'due + 60 > now: ' || coalesce(group_concat(id), 'none') from payment where due + 60 > strftime('%s', 'now');
select 'coalesce(due, 0) < now: ' || group_concat(id) from payment where coalesce(due, 0) < strftime('%s', 'now');
select 'max(due) < now: ' || case when max(due) < strftime('%s', 'now') then 'yes' else 'no' end from payment;
select 'due in a subquery + 0 < now: ' || group_concat(id) from (select id, due + 0 as later from payment) where later < strftime('%s', 'now');
select 'body ->> due < now: ' || group_concat(id) from payment where body ->> 'due' < strftime('%s', 'now');
select 'due + 60 < unixepoch(): ' || group_concat(id) from payment where due + 60 < unixepoch();
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
