#!/usr/bin/env bash
# An amount of sixteen digits that a double holds is another one as soon as it is a numeric.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: a cast to numeric, which has no limit of digits, keeps what the double holds and what it prints.
# Seen:  9007199254740991 in a float8 column becomes 9007199254740990, 1234567890123456 is ...460, and 12345678901234.56 is ...4.6. As a text, a bigint or in JSON the same value is right. An `insert ... select` into a numeric column does it without a cast, and so does round(x::numeric, 2).
# Why:   the cast from float8 to numeric goes over 15 significant digits, though the output of floats has had 17 since version 12.
# So:    a column that is migrated from double to numeric loses digits in the act of making it exact. Use `amount::text::numeric`.
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
1: printed 9.007199254740991e+15, as numeric 9007199254740990, as bigint 9007199254740991, in JSON 9007199254740991, over text 9007199254740991
2: printed 1.234567890123456e+15, as numeric 1234567890123460, as bigint 1234567890123456, in JSON 1234567890123456, over text 1234567890123456
3: printed 12345678901234.56, as numeric 12345678901234.6, as bigint 12345678901235, in JSON 12345678901234.56, over text 12345678901234.56
4: printed 999999999999.99, as numeric 999999999999.99, as bigint 1000000000000, in JSON 999999999999.99, over text 999999999999.99
1: inserted 9007199254740990.00
2: inserted 1234567890123460.00
3: inserted 12345678901234.60
4: inserted 999999999999.99
1: altered 9007199254740990.00
2: altered 1234567890123460.00
3: altered 12345678901234.60
4: altered 999999999999.99
the sum of both: 10255112823765684.59
TXT
ask <<'SQL' 2>/dev/null | tee seen.txt
create table old (id int, amount float8);
insert into old values (1, 9007199254740991), (2, 1234567890123456), (3, 12345678901234.56), (4, 999999999999.99);
select id || ': printed ' || amount || ', as numeric ' || amount::numeric || ', as bigint ' || amount::bigint || ', in JSON ' || to_jsonb(amount) || ', over text ' || amount::text::numeric from old order by id;
create table new (id int, amount numeric(20, 2));
insert into new select * from old;
select id || ': inserted ' || amount from new order by id;
alter table old alter column amount type numeric(20, 2);
select id || ': altered ' || amount from old order by id;
select 'the sum of both: ' || sum(amount) from old;
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
