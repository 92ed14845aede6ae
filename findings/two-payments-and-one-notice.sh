#!/usr/bin/env bash
# Two payments of the same amount in one transaction ring once.
# Ran on 2026-11-30: PostgreSQL 15 of Debian 12, psql 15.
# Guess: NOTIFY sent twice is delivered twice, as it is from two transactions.
# Seen:  of the payloads 100, 100, 250 a listener gets 100 and 250; from transactions of their own it gets all three.
# Why:   PostgreSQL drops a notification that equals an earlier one of the same transaction, channel and payload.
# So:    a payload must name the payment, or be nothing but a hint to look at the table. A batch that settles many payments loses all but one of those that look alike.
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
cat >main.sh <<'MAIN'
heard() { ask -c 'listen paid' "$@" -c 'select 1' | sed -n 's/.*with payload "\([0-9]*\)".*/\1/p' | tr '\n' ' '; echo; }
echo "in one transaction: $(heard -c "begin; notify paid, '100'; notify paid, '100'; notify paid, '250'; commit")"
echo "in three: $(heard -c "notify paid, '100'" -c "notify paid, '100'" -c "notify paid, '250'")"
MAIN
cat >expected.txt <<'TXT'
in one transaction: 100 250 
in three: 100 100 250 
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
