#!/usr/bin/env bash
# A renewal on 1 April at midnight in Berlin is due on 1 April at one o'clock, and a daily cut-off at 10:00 at 9:00.
# Ran on 2026-11-30: dayjs 1.11.23 beside luxon 3.7.2 and moment-timezone 0.6.6, Node 20 in UTC.
# Guess: in a time zone, a month or a day later is the same time by the clock, and the right instant.
# Seen:  dayjs.tz('2026-03-01 00:00', 'Europe/Berlin').add(1, 'month') prints 2026-04-01T00:00:00+01:00, an hour late; a day over the change of the clocks in New York is an hour late in spring and early in autumn. luxon and moment-timezone are right, and so is a date that dayjs is given whole.
# Why:   the offset of the first date stays with the new one.
# So:    the text looks right to a person, and what is stored, compared or sent with toISOString is off until the clocks change again. Pass the result through dayjs.tz(text, zone) once more.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent dayjs@1.11.23 luxon@3.7.2 moment-timezone@0.6.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import dayjs from 'dayjs';
import timezone from 'dayjs/plugin/timezone.js';
import utc from 'dayjs/plugin/utc.js';
import { DateTime } from 'luxon';
import moment from 'moment-timezone';

dayjs.extend(utc);
dayjs.extend(timezone);
for (const [start, zone, n, unit, end] of [
  ['2026-03-01 00:00', 'Europe/Berlin', 1, 'month', '2026-04-01 00:00'],
  ['2026-01-15 09:00', 'Europe/Berlin', 6, 'month', '2026-07-15 09:00'],
  ['2026-03-07 10:00', 'America/New_York', 1, 'day', '2026-03-08 10:00'],
  ['2026-10-31 10:00', 'America/New_York', 1, 'day', '2026-11-01 10:00'],
]) {
  const on = {
    dayjs: dayjs.tz(start, zone).add(n, unit),
    'dayjs, given whole': dayjs.tz(end, zone),
    luxon: DateTime.fromSQL(start, { zone }).plus({ [unit]: n }),
    'moment-timezone': moment.tz(start, zone).add(n, unit),
  };
  console.log(`${start} ${zone} and ${n} ${unit}: ${Object.entries(on).map(([name, t]) => `${name} ${new Date(t.valueOf()).toISOString().slice(0, 16)}Z`).join(', ')}`);
}
console.log(`dayjs prints ${dayjs.tz('2026-03-01 00:00', 'Europe/Berlin').add(1, 'month').format()}`);
JS
cat >expected.txt <<'TXT'
2026-03-01 00:00 Europe/Berlin and 1 month: dayjs 2026-03-31T23:00Z, dayjs, given whole 2026-03-31T22:00Z, luxon 2026-03-31T22:00Z, moment-timezone 2026-03-31T22:00Z
2026-01-15 09:00 Europe/Berlin and 6 month: dayjs 2026-07-15T08:00Z, dayjs, given whole 2026-07-15T07:00Z, luxon 2026-07-15T07:00Z, moment-timezone 2026-07-15T07:00Z
2026-03-07 10:00 America/New_York and 1 day: dayjs 2026-03-08T15:00Z, dayjs, given whole 2026-03-08T14:00Z, luxon 2026-03-08T14:00Z, moment-timezone 2026-03-08T14:00Z
2026-10-31 10:00 America/New_York and 1 day: dayjs 2026-11-01T14:00Z, dayjs, given whole 2026-11-01T15:00Z, luxon 2026-11-01T15:00Z, moment-timezone 2026-11-01T15:00Z
dayjs prints 2026-04-01T00:00:00+01:00
TXT
TZ=UTC node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
