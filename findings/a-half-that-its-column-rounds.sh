#!/usr/bin/env bash
# Half a cent is rounded up or to the even cent, as the column is numeric or float8.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: round(x) and a cast to integer round halves alike, whatever the type of x: 2.5 is 3.
# Seen:  numeric gives 3 and float8 gives 2, with round and with a cast to integer alike. Over the fees 0.5, 1.5, … 9.5 numeric gives 55 and float8 50. A fee out of JSON is one or the other, as it is cast, and so is `amount * rate` for a rate of one type or the other.
# Why:   numeric rounds halves away from zero, float8 to the even number.
# So:    one report in two queries that differ by some cents each day. Cast to numeric before you round.
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
round(2.5): numeric 3, float8 2
2.5 as integer: numeric 3, float8 2
-2.5 as integer: numeric -3, float8 -2
0.5 to 9.5: numeric 55, float8 50
fee of 2.5 in JSON: numeric 3, float8 2
1250 * 0.05 with a rate that is numeric 63, float8 62
TXT
ask <<'SQL' 2>/dev/null | tee seen.txt
select format('round(2.5): numeric %s, float8 %s', round(2.5::numeric), round(2.5::float8));
select format('2.5 as integer: numeric %s, float8 %s', 2.5::numeric::int, 2.5::float8::int);
select format('-2.5 as integer: numeric %s, float8 %s', (-2.5)::numeric::int, (-2.5)::float8::int);
select format('0.5 to 9.5: numeric %s, float8 %s', sum(round(i + 0.5)), sum(round((i + 0.5)::float8))) from generate_series(0, 9) i;
select format('fee of 2.5 in JSON: numeric %s, float8 %s', (body ->> 'fee')::numeric::int, (body ->> 'fee')::float8::int) from (values ('{"fee": 2.5}'::jsonb)) v (body);
create table rate (n numeric, f float8);
insert into rate values (0.05, 0.05);
select format('1250 * 0.05 with a rate that is numeric %s, float8 %s', (1250 * n)::int, (1250 * f)::int) from rate;
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
