#!/usr/bin/env bash
# An order number in a column declared STRING loses its zeros, or its last digits.
# Ran on 2026-11-30: SQLite 3.40.1 with Python 3.11 of Debian 12.
# Guess: a column declared STRING keeps text, as one declared TEXT does.
# Seen:  '0012' is stored as the integer 12, '12345678901234567890' as 1.2345678901234567e+19, '1E5' as 100000, and '12' and '100000' are then duplicates. In a column declared TEXT, VARCHAR or CHAR they stay.
# Why:   SQLite looks for CHAR, CLOB or TEXT in the declared type; STRING holds none of them and gets the affinity NUMERIC.
# So:    two orders, 0012 and 12, are one key, and the second is taken for paid. Declare TEXT, or make the table STRICT, which refuses the word STRING.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.py <<'PY'
import sqlite3

print('SQLite', sqlite3.sqlite_version)
db = sqlite3.connect(':memory:')
for declared in ('STRING', 'TEXT', 'VARCHAR(40)'):
    db.execute('drop table if exists orders')
    db.execute('create table orders (id %s unique)' % declared)
    said = []
    for order in ('0012', '12', '12345678901234567890', '1E5', '100000'):
        try:
            db.execute('insert into orders values (?)', (order,))
            said.append('%s is %r' % (order, db.execute('select id from orders order by rowid desc limit 1').fetchone()[0]))
        except sqlite3.IntegrityError:
            said.append('%s is a duplicate' % order)
    print('%s: %s' % (declared, ', '.join(said)))
try:
    db.execute('create table strict_orders (id STRING) strict')
except sqlite3.OperationalError as e:
    print('STRICT:', e)
PY
cat >expected.txt <<'TXT'
SQLite 3.40.1
STRING: 0012 is 12, 12 is a duplicate, 12345678901234567890 is 1.2345678901234567e+19, 1E5 is 100000, 100000 is a duplicate
TEXT: 0012 is '0012', 12 is '12', 12345678901234567890 is '12345678901234567890', 1E5 is '1E5', 100000 is '100000'
VARCHAR(40): 0012 is '0012', 12 is '12', 12345678901234567890 is '12345678901234567890', 1E5 is '1E5', 100000 is '100000'
STRICT: unknown datatype for strict_orders.id: "STRING"
TXT
python3 main.py 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
