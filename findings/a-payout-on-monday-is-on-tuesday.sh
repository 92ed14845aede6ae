#!/usr/bin/env bash
# The line of a crontab for Mondays runs on Tuesdays.
# Ran on 2026-11-30: APScheduler 3.9.1 beside croniter 1.3.5 of Debian 12, Python 3.11, and croner 11.0.1 and cron-parser 5.10.6, Node 20.
# Guess: CronTrigger.from_crontab reads a crontab's line as cron does: `0 9 * * 1` is Monday, 7 is Sunday, and with a day of the month beside it either of them counts.
# Seen:  1 is Tuesday, 1-5 is Tuesday to Saturday, 0 is Monday, 7 is an error, and `0 9 1 * mon` is a 1st that is a Monday: the next is in February. The other three read cron's meaning.
# Why:   its weekdays are counted from Monday as 0, and all its fields have to fit.
# So:    payouts of Monday to Friday are made on Saturday and not on Monday. Write mon and mon-fri.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'python3-apscheduler=3.9.1*' python3-tzlocal python3-pytz-deprecation-shim python3-tz python3-six python3-dateutil python3-natsort 'python3-croniter=1.3.5*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PYTHONPATH=$dir/usr/lib/python3/dist-packages
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent croner@11.0.1 cron-parser@5.10.6
npm ls --depth 0 | tail -n +2
cat >main.py <<'PY'
from datetime import datetime, timezone

import pytz
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)


def days(times):
    return ', '.join(t.strftime('%a %d %b') for t in times)


def scheduled(line):
    trigger, last, times = CronTrigger.from_crontab(line, timezone=pytz.utc), None, []
    for _ in range(3):
        last = trigger.get_next_fire_time(last, last or NOW)
        times.append(last)
    return times


for line in ['0 9 * * 1', '0 9 * * 5', '0 9 * * 0', '0 9 1 * mon', '0 9 * * 7']:
    iterator = croniter(line, NOW)
    print(f'croniter     {line}: {days(iterator.get_next(datetime) for _ in range(3))}')
    try:
        print(f'APScheduler  {line}: {days(scheduled(line))}')
    except ValueError:
        print(f'APScheduler  {line}: ValueError')
PY
cat >main.mjs <<'JS'
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

const now = new Date('2026-11-30T12:00:00Z');
const days = (times) => times.map((d) => { const [day, date, month] = d.toUTCString().replace(',', '').split(' '); return `${day} ${date} ${month}`; }).join(', ');
for (const line of ['0 9 * * 1', '0 9 1 * mon']) {
  console.log(`croner       ${line}: ${days(new Cron(line, { timezone: 'UTC', paused: true }).nextRuns(3, now))}`);
  const parsed = CronExpressionParser.parse(line, { currentDate: now, tz: 'UTC' });
  console.log(`cron-parser  ${line}: ${days([1, 2, 3].map(() => parsed.next().toDate()))}`);
}
JS
cat >expected.txt <<'TXT'
croniter     0 9 * * 1: Mon 07 Dec, Mon 14 Dec, Mon 21 Dec
APScheduler  0 9 * * 1: Tue 01 Dec, Tue 08 Dec, Tue 15 Dec
croniter     0 9 * * 5: Fri 04 Dec, Fri 11 Dec, Fri 18 Dec
APScheduler  0 9 * * 5: Sat 05 Dec, Sat 12 Dec, Sat 19 Dec
croniter     0 9 * * 0: Sun 06 Dec, Sun 13 Dec, Sun 20 Dec
APScheduler  0 9 * * 0: Mon 07 Dec, Mon 14 Dec, Mon 21 Dec
croniter     0 9 1 * mon: Tue 01 Dec, Mon 07 Dec, Mon 14 Dec
APScheduler  0 9 1 * mon: Mon 01 Feb, Mon 01 Mar, Mon 01 Nov
croniter     0 9 * * 7: Sun 06 Dec, Sun 13 Dec, Sun 20 Dec
APScheduler  0 9 * * 7: ValueError
croner       0 9 * * 1: Mon 07 Dec, Mon 14 Dec, Mon 21 Dec
cron-parser  0 9 * * 1: Mon 07 Dec, Mon 14 Dec, Mon 21 Dec
croner       0 9 1 * mon: Tue 01 Dec, Mon 07 Dec, Mon 14 Dec
cron-parser  0 9 1 * mon: Tue 01 Dec, Mon 07 Dec, Mon 14 Dec
TXT
{ python3 main.py; node main.mjs; } | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
