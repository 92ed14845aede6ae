#!/usr/bin/env bash
# Setting one field of a stored payment to null erases the whole document.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12.
# Guess: jsonb_set(data, '{message}', to_jsonb($1::text)) with a null message sets that field to null, or leaves it.
# Seen:  data is null afterwards: order, amount and status are gone, and the UPDATE reports one row.
# Why:   jsonb_set is null if any of its arguments is; a SQL null is not a JSON null.
# So:    an update that is tried with messages works until the first answer without one. Use jsonb_set_lax, or coalesce(to_jsonb($1::text), 'null'), and declare the column not null, which turns it into an error.
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
cat >main.sh <<'SH'
ask -c "create table if not exists payments (id text, data jsonb)"
for message in "'declined'" "null"; do
  for set in "jsonb_set(data, '{message}', to_jsonb($message::text))" "jsonb_set_lax(data, '{message}', to_jsonb($message::text))"; do
    ask -c "truncate payments" -c "insert into payments values ('A-17', '{\"amount\":150000,\"status\":\"paid\"}')"
    ask -c "update payments set data = $set"
    echo "$set: $(ask -c "select coalesce(data::text, 'nothing is left') from payments")"
  done
done
SH
cat >expected.txt <<'TXT'
jsonb_set(data, '{message}', to_jsonb('declined'::text)): {"amount": 150000, "status": "paid", "message": "declined"}
jsonb_set_lax(data, '{message}', to_jsonb('declined'::text)): {"amount": 150000, "status": "paid", "message": "declined"}
jsonb_set(data, '{message}', to_jsonb(null::text)): nothing is left
jsonb_set_lax(data, '{message}', to_jsonb(null::text)): {"amount": 150000, "status": "paid", "message": null}
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
