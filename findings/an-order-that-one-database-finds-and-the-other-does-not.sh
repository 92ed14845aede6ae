#!/usr/bin/env bash
# One query finds the order 17 in the stored events of one database and not in those of the other.
# Ran on 2026-11-30: SQLite 3.40.1 and PostgreSQL 15 of Debian 12.
# Guess: `body ->> 'order' = '17'` finds an order whose number stands in the JSON as a number, in both: ->> gives a text.
# Seen:  PostgreSQL finds it. SQLite finds none, and `in ('17', '18')` none. `body ->> 'amount' > '500'` is false there for 1999 and each other number, `< '500'` true. `body ->> 'ok' = 'true'` is false, it is 1. For an order that is a text in the JSON both find it.
# Why:   SQLite's ->> gives the value with its own type, and a number is never equal to a text and less than each.
# So:    tests on SQLite and a server on PostgreSQL disagree, and a driver that binds the key as a text gets no row and no error, so the webhook is taken for new. Cast to text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 2>/dev/null
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
lite() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu usr/bin/sqlite3 lite.db "$@"; }
make="create table event (id int, body TYPE); insert into event values (1, '{\"order\": 17, \"amount\": 1999, \"ok\": true}'), (2, '{\"order\": \"17\", \"amount\": 99, \"ok\": false}')"
ask -c "${make/TYPE/jsonb}"
lite "${make/TYPE/text}"
all() {
  for where in "body ->> 'order' = '17'" "body ->> 'order' in ('17', '18')" "cast(body ->> 'order' as text) = '17'" "body ->> 'amount' > '500'" "body ->> 'amount' < '500'" "body ->> 'ok' = 'true'"; do
    query="select id from event where $where order by id"
    echo "$where: PostgreSQL $(ask -c "$query" | xargs echo rows), SQLite $(lite "$query" | xargs echo rows)"
  done
}
cat >expected.txt <<'TXT'
body ->> 'order' = '17': PostgreSQL rows 1 2, SQLite rows 2
body ->> 'order' in ('17', '18'): PostgreSQL rows 1 2, SQLite rows 2
cast(body ->> 'order' as text) = '17': PostgreSQL rows 1 2, SQLite rows 1 2
body ->> 'amount' > '500': PostgreSQL rows 2, SQLite rows
body ->> 'amount' < '500': PostgreSQL rows 1, SQLite rows 1 2
body ->> 'ok' = 'true': PostgreSQL rows 1, SQLite rows
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
