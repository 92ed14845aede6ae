#!/usr/bin/env bash
# The date on a card, 12/30, is a day of 2001 or of this year.
# Ran on 2026-11-30: Date of Node 20, dateutil 2.8.2 (Python 3.11) and GNU date 9.1 of Debian 12.
# Guess: a month and a year of two digits is that month, or no date at all.
# Seen:  Date gives 30 December 2001 for 12/30, 2 March 2001 for 02/30, and no date for 04/35. dateutil gives 30 December of this year for 12/30, refuses 02/30, and gives 2035 for 04/35, on today's day of the month. GNU date gives this year, and refuses the other two.
# Why:   all read month/day first; what is no day may be a year.
# So:    cards that are good are refused as expired, some of them, and the test with 04/35 passes. Split the text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'python3-dateutil=2.8.2*' python3-six 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PYTHONPATH=$dir/usr/lib/python3/dist-packages TZ=UTC
cat >expected.txt <<'TXT'
Date 12/30: 2001-12-30
Date 02/30: 2001-03-02
Date 04/35: none
dateutil 12/30: 2026-12-30
dateutil 02/30: none
dateutil 04/35: 2035-04-15
date 12/30: this year, 12-30
date 02/30: none
date 04/35: none
TXT
{
node -e "for (const s of ['12/30', '02/30', '04/35']) { const d = new Date(s); console.log('Date ' + s + ': ' + (Number.isNaN(+d) ? 'none' : d.toISOString().slice(0, 10))); }"
python3 - <<'PY'
from datetime import datetime

from dateutil.parser import ParserError, parse

for text in ['12/30', '02/30', '04/35']:
    try:
        print(f'dateutil {text}: {parse(text, default=datetime(2026, 11, 15)).date()}')
    except ParserError:
        print(f'dateutil {text}: none')
PY
for text in 12/30 02/30 04/35; do
  if read=$(date -d "$text" +%F 2>/dev/null); then echo "date $text: ${read/#$(date +%Y)-/this year, }"; else echo "date $text: none"; fi
done
} | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
