#!/usr/bin/env bash
# A link that is good for seven days ends tomorrow, and `two hours ago` is in ten hours.
# Ran on 2026-11-30: GNU date 9.1.
# Guess: date -d '2026-11-30 10:00 +7 days' is 7 December, 10:00; '-2 hours' is 08:00; '+15 minutes' is 10:15.
# Seen:  in Jakarta the three are 1 December 10:00, 30 November 20:00 and 02:01; '+90 minutes' is refused. Without a time of day, or with the unit first, the sums are right.
# Why:   a signed number after a time of day is an offset from UTC, and `days`, `hours` or `minutes` that stands alone is one of it.
# So:    where the server's own offset is +7, the first is wrong by six days and looks right in its time of day. Write '2026-11-30 10:00 7 days', or count in seconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.sh <<'SH'
export TZ=Asia/Jakarta
for text in '2026-11-30 10:00 +7 days' '2026-11-30 10:00 7 days' '2026-11-30 +7 days' '2026-11-30 10:00 -2 hours' '2026-11-30 10:00 +15 minutes' '2026-11-30 10:00 +90 minutes'; do
  echo "$text: $(date -d "$text" '+%F %H:%M' 2>/dev/null || echo refused)"
done
SH
cat >expected.txt <<'TXT'
2026-11-30 10:00 +7 days: 2026-12-01 10:00
2026-11-30 10:00 7 days: 2026-12-07 10:00
2026-11-30 +7 days: 2026-12-07 00:00
2026-11-30 10:00 -2 hours: 2026-11-30 20:00
2026-11-30 10:00 +15 minutes: 2026-11-30 02:01
2026-11-30 10:00 +90 minutes: refused
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
