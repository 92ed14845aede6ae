#!/usr/bin/env bash
# A time with an offset loses its offset: what was paid at ten in Jakarta was paid at ten in Greenwich.
# Ran on 2026-11-30: jq 1.6 of Debian 12.
# Guess: strptime with %z and then mktime give the instant; localtime and mktime undo each other.
# Seen:  10:00+0700 and 10:00-0500 become 10:00Z both. In Jakarta 1796032800 | localtime | mktime is seven hours later, and strflocaltime prints the local time with +0000.
# Why:   jq's broken-down time has no place for an offset, and mktime takes what it is given for UTC.
# So:    a report over logs with local offsets puts the first seven hours of each day, in Asia, into the day before or after, with no error. Give times in UTC with a Z, which fromdate reads rightly.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'jq=1.6*' 'libjq1=1.6*' 'libonig5=6.9.8*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PATH=$dir/usr/bin:$PATH LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
cat >main.sh <<'SH'
jq --version
for time in 10:00:00+0700 10:00:00-0500; do
  echo "$time: $(TZ=UTC jq -nr --arg t "2026-11-30T$time" '$t | strptime("%Y-%m-%dT%H:%M:%S%z") | mktime | todate')"
done
for zone in UTC Asia/Jakarta; do
  echo "$zone: 1796032800 | localtime | mktime is $(TZ=$zone jq -nr '1796032800 | localtime | mktime'); as text $(TZ=$zone jq -nr '1796032800 | strflocaltime("%H:%M %z")')"
done
SH
cat >expected.txt <<'TXT'
jq-1.6
10:00:00+0700: 2026-11-30T10:00:00Z
10:00:00-0500: 2026-11-30T10:00:00Z
UTC: 1796032800 | localtime | mktime is 1796032800; as text 10:00 +0000
Asia/Jakarta: 1796032800 | localtime | mktime is 1796058000; as text 17:00 +0000
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
