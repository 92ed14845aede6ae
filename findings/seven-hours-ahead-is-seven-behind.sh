#!/usr/bin/env bash
# A server set to GMT+7 closes its day fourteen hours late, or seven; it depends on the language of the program.
# Ran on 2026-11-30: GNU date 9.1, Python 3.11, Node 20.20.2, Go 1.26.
# Guess: TZ=GMT+7 is the time of Jakarta and Hanoi, seven hours ahead of UTC, in every program, or it is refused.
# Seen:  date, Python and Node are seven hours behind UTC; Node's own Intl calls that zone GMT+07:00; Go takes UTC, without a word. With UTC-7, date, Python and Node are seven ahead, and Go stays at UTC. Asia/Jakarta is alike in all.
# Why:   in such a name POSIX counts the hours to the west; Go knows names of zone files only, and falls back to UTC.
# So:    a settlement job in Go and a report in Python of one container cut different days, and both are wrong. Use zone names, and compare the offset at start-up.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Print(time.Unix(1796032800, 0).Format("15:04-0700"))
}
GO
go version
GOWORK=off go build -o in-go main.go
cat >main.sh <<'SH'
for zone in GMT+7 UTC-7 Asia/Jakarta; do
  export TZ=$zone
  echo "$zone: date $(date -d @1796032800 +%H:%M%z), Python $(python3 -c 'import time; print(time.strftime("%H:%M%z", time.localtime(1796032800)))'), Node $(node -p 'new Date(1796032800e3).toString().slice(16, 21) + new Date(1796032800e3).toString().slice(28, 33)'), Node's Intl says $(node -p 'Intl.DateTimeFormat().resolvedOptions().timeZone'), Go $(./in-go)"
done
SH
cat >expected.txt <<'TXT'
GMT+7: date 03:00-0700, Python 03:00-0700, Node 03:00-0700, Node's Intl says GMT+07:00, Go 10:00+0000
UTC-7: date 17:00+0700, Python 17:00+0700, Node 17:00+0700, Node's Intl says undefined, Go 10:00+0000
Asia/Jakarta: date 17:00+0700, Python 17:00+0700, Node 17:00+0700, Node's Intl says Asia/Jakarta, Go 17:00+0700
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
