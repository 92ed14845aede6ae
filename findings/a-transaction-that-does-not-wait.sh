#!/usr/bin/env bash
# A transaction that may wait ten seconds for the lock fails at once, and trying its statement again fails for ever.
# Ran on 2026-11-30: SQLite 3.40.1 of Debian 12, journal mode WAL, busy timeout 10 s.
# Guess: with a busy timeout a write waits until the other writer has committed, and fails after that time at the earliest.
# Seen:  in a transaction that began with a select, the insert fails in less than a second with "database is locked", though nobody holds a lock any more; so does a second try in the same transaction. With BEGIN IMMEDIATE it is stored. In journal mode DELETE the other writer is the one that waits.
# Why:   the snapshot of the select is older than the other's commit and cannot become a writer; waiting would not help, so the timeout is not used.
# So:    "select the balance, then update" fails under load although the timeout is long, and a retry of the statement is of no use. Begin with IMMEDIATE whatever will write, and repeat the whole transaction.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
lite() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/sqlite3" -cmd '.timeout 10000' pay.db "$@"; }
lite 'pragma journal_mode = wal; create table payment (id integer primary key, amount int); insert into payment values (1, 1000)' >/dev/null
all() {
  for begin in begin 'begin immediate'; do
    echo "$begin, select, another process inserts, insert:"
    start=$(date +%s)
    {
      echo "$begin; select 'sum ' || sum(amount) from payment;"
      sleep 1
      lite 'insert into payment (amount) values (500)' & other=$!
      sleep 1
      echo "insert into payment (amount) values (1); select 'stored by the first try' from payment where amount = 1;"
      echo "insert into payment (amount) values (2); select 'stored by the second try' from payment where amount = 2;"
      echo 'commit;'
      wait "$other"
    } | lite 2>&1 | sed 's/^.*database is locked.*/database is locked/' || true
    echo "took less than 10 s: $([ $(($(date +%s) - start)) -lt 10 ] && echo yes || echo no)"
  done
}
cat >expected.txt <<'TXT'
begin, select, another process inserts, insert:
sum 1000
database is locked
database is locked
took less than 10 s: yes
begin immediate, select, another process inserts, insert:
sum 1500
stored by the first try
stored by the second try
took less than 10 s: yes
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
