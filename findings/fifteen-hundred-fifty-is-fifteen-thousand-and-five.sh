#!/usr/bin/env bash
# 1500.50 is read as 15005, and 15000 as 150.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: to_number reads the number that stands in the text, or fails if the text does not have the pattern's form.
# Seen:  to_number('1500.50', '999999') is 15005 and ('12.5', '9999999') 125; ('15000', '999') is 150; ('1e3', '9999') is 13; ('15-', '99') is 15; ('(15.00)', '99.99PR') is 15.0; ('1.234.567', '9G999G999') is 12345; ('1234.56', '9999') 1234. None is an error.
# Why:   each 9 of the pattern takes the next character that is a digit and steps over others; what is left over is dropped.
# So:    one line of a statement with decimals in a file of whole numbers is ten times its amount. Test the text with a regular expression and cast it, or cast only.
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
1500 with 999999: 1500, cast: 1500
1500.50 with 999999: 15005, cast: 1500.50
12.5 with 9999999: 125, cast: 12.5
1500.50 with 999999.99: 1500.50, cast: 1500.50
15000 with 999: 150, cast: 15000
1234.56 with 9999: 1234, cast: 1234.56
1e3 with 9999: 13, cast: not a number
15- with 99: 15, cast: not a number
(15.00) with 99.99PR: 15.0, cast: not a number
1.234.567 with 9G999G999: 12345, cast: not a number
TXT
ask <<'SQL' 2>/dev/null | tee seen.txt
create function read(amount text, pattern text) returns text language plpgsql as $$ begin
  return amount || ' with ' || pattern || ': ' || to_number(amount, pattern) || ', cast: ' || coalesce((select amount::numeric where amount ~ '^-?[0-9]+(\.[0-9]+)?$')::text, 'not a number');
end $$;
select read(amount, pattern) from (values (1, '1500', '999999'), (2, '1500.50', '999999'), (3, '12.5', '9999999'), (4, '1500.50', '999999.99'), (5, '15000', '999'), (6, '1234.56', '9999'),
  (7, '1e3', '9999'), (8, '15-', '99'), (9, '(15.00)', '99.99PR'), (10, '1.234.567', '9G999G999')) v (i, amount, pattern) order by i;
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
