#!/usr/bin/env bash
# One payout is taken from the queue by two workers.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: `update job set state = 'taken', worker = 'b' where id = (select id from job where state = 'open' order by id limit 1) returning id` takes one job at a time: of two workers at once the second gets the next one, or none.
# Seen:  both are given job 1, and the row has the second one's name; job 2 stays. With `and state = 'open'` outside as well the second gets none; with `for update skip locked` inside it gets job 2.
# Why:   the second update waits for the first one's row, and then looks at its own condition again, which is the id alone: the subquery is not run again, in the default isolation.
# So:    a payout that is made twice, only when two workers come within a transaction of each other. Write `for update skip locked`.
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
plain: a has 1
plain: b has 1
plain: rows 1 b, 2 -, 3 -
state outside: a has 1
state outside: rows 1 a, 2 -, 3 -
skip locked: a has 1
skip locked: b has 2
skip locked: rows 1 a, 2 b, 3 -
TXT
take() { # KIND WORKER CONDITION LOCK
  echo "update job set state = 'taken', worker = '$2' where id = (select id from job where state = 'open' order by id limit 1 $4) $3 returning '$1: $2 has ' || id"
}
race() { # KIND CONDITION LOCK
  ask -c "drop table if exists job" -c "create table job (id int primary key, state text default 'open', worker text default '-')" -c "insert into job values (1), (2), (3)"
  # The first one keeps its transaction open for two seconds.
  ask >first.txt <<SQL &
begin;
$(take "$1" a "$2" "$3");
select pg_notify('taken', '');
select pg_sleep(2);
commit;
SQL
  local first=$!
  until [ "$(ask -c "select count(*) from pg_stat_activity where query like 'select pg_sleep%'")" = 1 ]; do sleep 0.1; done
  ask -c "$(take "$1" b "$2" "$3")" >second.txt
  wait "$first"
  cat first.txt second.txt | grep .
  ask -c "select '$1: rows ' || string_agg(id || ' ' || worker, ', ' order by id) from job"
}
{ race plain '' ''; race 'state outside' "and state = 'open'" ''; race 'skip locked' '' 'for update skip locked'; } 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
