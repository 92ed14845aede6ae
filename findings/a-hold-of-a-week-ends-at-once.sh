#!/usr/bin/env bash
# A hold that is to last a week ends at once, and half an hour back is half an hour ahead.
# Ran on 2026-12-01: dayjs 1.11.23 beside luxon 3.7.2, moment 2.31.0 and duration-fns 3.0.2, Node 20.
# Guess: adding a duration that was read from ISO 8601 adds it, whichever of its units it names.
# Seen:  with dayjs P1W adds nothing and P1W2D two days, though the same durations have 7 and 9 days by asDays(); -PT30M is read without its sign and is half an hour ahead; PT0.5S is added as a whole second, PT1,5H as nothing. luxon, moment and duration-fns add each as it stands, or refuse it.
# Why:   add takes the years, months, days, hours, minutes and seconds of the duration one by one, in whole numbers: weeks are not among them; in a text only the signs of the single numbers are read.
# So:    a hold, a lock or a retry window of P1W from a configuration or a provider is over when it begins, and no test of the duration itself shows it. Add duration.asMilliseconds(), or write P7D.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent dayjs@1.11.23 luxon@3.7.2 moment@2.31.0 duration-fns@3.0.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import dayjs from 'dayjs';
import duration from 'dayjs/plugin/duration.js';
import utc from 'dayjs/plugin/utc.js';
import { apply, parse } from 'duration-fns';
import { DateTime, Duration } from 'luxon';
import moment from 'moment';

dayjs.extend(duration);
dayjs.extend(utc);
const from = '2026-12-01T10:00:00.000Z';
const short = (then) => then.slice(5, 21).replace('T', ' ');
const ways = {
  dayjs: (text) => dayjs.utc(from).add(dayjs.duration(text)).toISOString(),
  luxon: (text) => DateTime.fromISO(from, { zone: 'utc' }).plus(Duration.fromISO(text)).toISO(),
  moment: (text) => moment.utc(from).add(moment.duration(text)).toISOString(),
  'duration-fns': (text) => apply(from, parse(text)).toISOString(),
};
for (const text of ['P7D', 'P1W', 'P1W2D', '-PT30M', 'PT0.5S', 'PT1,5H']) {
  const seen = Object.entries(ways).map(([name, add]) => {
    try { return `${name} ${short(add(text))}`; } catch { return `${name} refused`; }
  });
  console.log(`${text} (dayjs: ${dayjs.duration(text).asMinutes()} minutes) after 12-01 10:00:00.0: ${seen.join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
P7D (dayjs: 10080 minutes) after 12-01 10:00:00.0: dayjs 12-08 10:00:00.0, luxon 12-08 10:00:00.0, moment 12-08 10:00:00.0, duration-fns 12-08 10:00:00.0
P1W (dayjs: 10080 minutes) after 12-01 10:00:00.0: dayjs 12-01 10:00:00.0, luxon 12-08 10:00:00.0, moment 12-08 10:00:00.0, duration-fns 12-08 10:00:00.0
P1W2D (dayjs: 12960 minutes) after 12-01 10:00:00.0: dayjs 12-03 10:00:00.0, luxon 12-10 10:00:00.0, moment 12-10 10:00:00.0, duration-fns 12-10 10:00:00.0
-PT30M (dayjs: 30 minutes) after 12-01 10:00:00.0: dayjs 12-01 10:30:00.0, luxon 12-01 09:30:00.0, moment 12-01 09:30:00.0, duration-fns 12-01 09:30:00.0
PT0.5S (dayjs: 0.008333333333333333 minutes) after 12-01 10:00:00.0: dayjs 12-01 10:00:01.0, luxon 12-01 10:00:00.5, moment 12-01 10:00:00.5, duration-fns 12-01 10:00:00.5
PT1,5H (dayjs: 0 minutes) after 12-01 10:00:00.0: dayjs 12-01 10:00:00.0, luxon refused, moment 12-01 11:30:00.0, duration-fns refused
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
