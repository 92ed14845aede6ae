#!/usr/bin/env bash
# Monthly instalments that begin on 31 January are due on the 28th for ever.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12 beside luxon 3.7.2 and rrule 2.8.1, Node 20.
# Guess: generate_series from 31 January by '1 month' gives the last day of a short month and the 31st of a long one, as `start + n * interval '1 month'` does.
# Seen:  it gives 31 January, 28 February, 28 March, 28 April, 28 May. In a leap year it is the 29th. start + n months gives 31, 28, 31, 30, 31. luxon's splitBy is right; rrule leaves out February and April.
# Why:   each value is the one before plus a month, so the day that was cut once stays cut.
# So:    instalments are due three days early from March on, and a reminder on the true date comes after the penalty. Multiply the interval instead.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent luxon@3.7.2 rrule@2.8.1
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
cat >main.mjs <<'JS'
import { DateTime, Interval } from 'luxon';
import rrule from 'rrule';

const start = DateTime.fromISO('2026-01-31', { zone: 'utc' });
const parts = Interval.fromDateTimes(start, start.plus({ months: 5 })).splitBy({ months: 1 });
console.log(`luxon's splitBy: ${parts.map((i) => i.start.toISODate().slice(5)).join(' ')}`);
const { RRule } = rrule;
const rule = new RRule({ freq: RRule.MONTHLY, count: 5, dtstart: new Date('2026-01-31T00:00:00Z') });
console.log(`rrule, five times: ${rule.all().map((d) => d.toISOString().slice(5, 10)).join(' ')}`);
JS
cat >series.sql <<'SQL'
select 'generate_series: ' || string_agg(to_char(d, 'MM-DD'), ' ' order by d) from generate_series(timestamp '2026-01-31', '2026-05-31', '1 month') d;
select 'generate_series, a leap year: ' || string_agg(to_char(d, 'MM-DD'), ' ' order by d) from generate_series(timestamp '2028-01-31', '2028-05-31', '1 month') d;
select 'start + n months: ' || string_agg(to_char(date '2026-01-31' + n * interval '1 month', 'MM-DD'), ' ' order by n) from generate_series(0, 4) n;
SQL
all() { ask -f series.sql && node main.mjs; }
cat >expected.txt <<'TXT'
generate_series: 01-31 02-28 03-28 04-28 05-28
generate_series, a leap year: 01-31 02-29 03-29 04-29 05-29
start + n months: 01-31 02-28 03-31 04-30 05-31
luxon's splitBy: 01-31 02-28 03-31 04-30 05-31
rrule, five times: 01-31 03-31 05-31 07-31 08-31
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
