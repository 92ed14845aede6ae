#!/usr/bin/env bash
# An interval of twelve months has 365 and a quarter days, twelve of one month have 360, and both are equal.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: extract(epoch from interval '12 months') is twelve times that of one month, and intervals that are equal have one number of seconds.
# Seen:  31,557,600 and 31,104,000: 365.25 and 360 days. `interval '1 year' > interval '365 days'` is false, and `= interval '360 days'` is true. A fee of 30 for 30 days, by the seconds, is 330 for eleven months and 365.25 for twelve.
# Why:   epoch counts 365.25 days for each whole year and 30 for the months that are left; comparison counts 30 for each month.
# So:    interest and prorated refunds by seconds jump at the twelfth month, and `paid_for > interval '365 days'` is false for a year. Add intervals to dates and subtract the dates.
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
11 months: 330 days
12 months: 365.25 days
13 months: 395.25 days
12 times 1 month: 360 days
a year is longer than 365 days: false
a year is 360 days: true
fee of 30 for 30 days, 11 months: 330.00
fee of 30 for 30 days, 12 months: 365.25
from 2026-01-01, by dates: 365 days
TXT
ask <<'SQL' 2>/dev/null | tee seen.txt
select i || ' months: ' || trim_scale(extract(epoch from make_interval(months => i)) / 86400) || ' days' from generate_series(11, 13) i;
select '12 times 1 month: ' || trim_scale(12 * extract(epoch from interval '1 month') / 86400) || ' days';
select 'a year is longer than 365 days: ' || (interval '1 year' > interval '365 days');
select 'a year is 360 days: ' || (interval '1 year' = interval '360 days');
select 'fee of 30 for 30 days, ' || i || ' months: ' || round(extract(epoch from make_interval(months => i)) / (30 * 86400) * 30, 2) from generate_series(11, 12) i;
select 'from 2026-01-01, by dates: ' || (date '2026-01-01' + interval '12 months')::date - date '2026-01-01' || ' days';
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
