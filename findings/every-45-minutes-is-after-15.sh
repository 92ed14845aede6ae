#!/usr/bin/env bash
# A description of a schedule says each 45 minutes, and the job runs after 15.
# Ran on 2026-12-01: cronstrue 3.39.0, times by croner 11.0.1, Node 20.
# Guess: the sentence that is shown beside a schedule says when it runs.
# Seen:  */45 is "every 45 minutes", and the job runs after 45 and then after 15 minutes; 0 */5 is "every 5 hours", with 4 hours over midnight; */2 for days is "every 2 days in a month", and runs on the 31st and the 1st. "0 9 1 * 1" is "on day 1 of the month, and on Monday", which reads as a 1st that is a Monday, and runs on each Monday.
# Why:   the text is made of the fields one by one; that a step begins anew with each hour, day or month, and that the two days are joined by "or", is in none of them.
# So:    who checks a payout's schedule by its sentence approves a payout that comes a half-hour, a day or weeks too early. Show the next five times instead.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent cronstrue@3.39.0 croner@11.0.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { Cron } from 'croner';
import cronstrue from 'cronstrue';

for (const [schedule, from] of [['*/45 * * * *', '2026-12-01T08:50:00'], ['0 */5 * * *', '2026-12-01T14:00:00'], ['0 9 */2 * *', '2026-12-28T00:00:00'], ['0 9 1 * 1', '2026-12-01T00:00:00']]) {
  const times = new Cron(schedule, { timezone: 'UTC' }).nextRuns(4, new Date(`${from}Z`));
  console.log(`${schedule}: "${cronstrue.toString(schedule)}"; ${times.map((t) => t.toISOString().slice(5, 16).replace('T', ' ')).join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
*/45 * * * *: "Every 45 minutes"; 12-01 09:00, 12-01 09:45, 12-01 10:00, 12-01 10:45
0 */5 * * *: "On the hour, every 5 hours"; 12-01 15:00, 12-01 20:00, 12-02 00:00, 12-02 05:00
0 9 */2 * *: "At 09:00 AM, every 2 days in a month"; 12-29 09:00, 12-31 09:00, 01-01 09:00, 01-03 09:00
0 9 1 * 1: "At 09:00 AM, on day 1 of the month, and on Monday"; 12-01 09:00, 12-07 09:00, 12-14 09:00, 12-21 09:00
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
