#!/usr/bin/env bash
# In a statement that was imported, the payments above 500 are those of 99.00, and the largest is 99.00.
# Ran on 2026-11-30: SQLite 3.40.1 of Debian 12 (its sqlite3 command).
# Guess: after `.import --csv`, `amount > 500` compares with the number 500, since sum(amount) adds numbers.
# Seen:  it finds 99.00 and 7.50, and neither 1000.00 nor 15000.00; max(amount) is 99.00, and the order of size begins with 1000.00. `amount + 0 > 500` is right, and so is sum().
# Why:   the import makes each column TEXT, which turns the number of a comparison into a text.
# So:    a check of large payments lists small ones and misses the large, beside a sum that is right. Make the table with its types before, or import and cast.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'sqlite3=3.40.1*' 'libsqlite3-0=3.40.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
printf 'id,amount\na,99.00\nb,1000.00\nc,15000.00\nd,7.50\n' >statement.csv
cat >expected.txt <<'TXT'
amount > 500: 99.00 7.50
amount between 50 and 20000: none
amount + 0 > 500: 1000.00 15000.00
max: 99.00, sum: 16106.5
from the least: 1000.00 15000.00 7.50 99.00
TXT
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu usr/bin/sqlite3 :memory: <<'SQL' 2>/dev/null | tee seen.txt
.import --csv statement.csv statement
select 'amount > 500: ' || group_concat(amount, ' ') from statement where amount > 500;
select 'amount between 50 and 20000: ' || coalesce(group_concat(amount, ' '), 'none') from statement where amount between 50 and 20000;
select 'amount + 0 > 500: ' || group_concat(amount, ' ') from statement where amount + 0 > 500;
select 'max: ' || max(amount) || ', sum: ' || sum(amount) from statement;
select 'from the least: ' || group_concat(amount, ' ') from (select amount from statement order by amount);
SQL
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
