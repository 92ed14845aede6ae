#!/usr/bin/env bash
# Each payment is paid, open ones too: the test for it is true wherever the field is not missing.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: `body @? '$.status == "paid"'` and jsonb_path_exists with the same path are true for paid payments.
# Seen:  both are true for an open one, for one whose status is null, and for one without a status, and for an amount of 1 with `$.amount > 500`. @@ is right; @? is right with a filter: '$ ? (@.status == "paid")'. @@ with a filter gives null, and so no row.
# Why:   a path that is a comparison gives the item true, false or null, and @? asks whether the path gives an item at all.
# So:    a query that selects what to ship selects all, and a test with one paid payment passes. Write each path for its operator.
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
@? $.status == "paid": 1 2 3 4
jsonb_path_exists: 1 2 3 4
@? $.amount > 500: 1 2 3 4
@@ $.status == "paid": 1
@? $ ? (@.status == "paid"): 1
@@ $ ? (@.status == "paid"): none
TXT
ask <<'SQL' 2>/dev/null | tee seen.txt
create table payment (id int, body jsonb);
insert into payment values (1, '{"status": "paid", "amount": 1999}'), (2, '{"status": "open", "amount": 1}'), (3, '{"status": null}'), (4, '{}');
select '@? $.status == "paid": ' || string_agg(id::text, ' ' order by id) from payment where body @? '$.status == "paid"';
select 'jsonb_path_exists: ' || string_agg(id::text, ' ' order by id) from payment where jsonb_path_exists(body, '$.status == "paid"');
select '@? $.amount > 500: ' || string_agg(id::text, ' ' order by id) from payment where body @? '$.amount > 500';
select '@@ $.status == "paid": ' || string_agg(id::text, ' ' order by id) from payment where body @@ '$.status == "paid"';
select '@? $ ? (@.status == "paid"): ' || string_agg(id::text, ' ' order by id) from payment where body @? '$ ? (@.status == "paid")';
select '@@ $ ? (@.status == "paid"): ' || coalesce(string_agg(id::text, ' ' order by id), 'none') from payment where body @@ '$ ? (@.status == "paid")';
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
