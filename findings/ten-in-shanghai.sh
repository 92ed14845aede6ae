#!/usr/bin/env bash
# A provider's log says 10:00:00 CST, China's time; three parsers read three instants, and Go's depends on the server.
# Ran on 2026-11-30: time.Parse of Go 1.26, Date of Node 20, GNU date of coreutils 9.1.
# Guess: an abbreviation that stands for several zones is an error, or one zone everywhere.
# Seen:  Node and date take Chicago's time (16:00 UTC). Go takes 10:00 UTC on a server in UTC, 02:00 on one in Shanghai and 16:00 on one in Chicago, each without an error. HKT and WIB: Go reads UTC, the others refuse.
# Why:   Go knows the abbreviations of the local zone alone; for any other it makes a zone of that name with offset zero.
# So:    a log replayed on a laptop and on a server orders an answer and its webhook differently, by eight hours. Parse with the zone that the provider documents, and strip the abbreviation.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
go version
node --version
date --version | head -n 1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	for _, zone := range []string{"CST", "HKT", "WIB"} {
		t, err := time.Parse(time.UnixDate, "Mon Nov 30 10:00:00 "+zone+" 2026")
		fmt.Printf("Go, server in %s: 10:00 %s is %s UTC, error: %v\n", os.Getenv("TZ"), zone, t.UTC().Format("15:04"), err)
	}
}
GO
cat >run.sh <<'SH'
go build -o probe main.go
for server in UTC Asia/Shanghai America/Chicago; do
  TZ=$server ./probe
  for zone in CST HKT WIB; do
    echo "Node, server in $server: 10:00 $zone is $(TZ=$server node -p "const d = new Date('Mon Nov 30 10:00:00 $zone 2026'); isNaN(d) ? 'invalid' : d.toISOString().slice(11, 16) + ' UTC'")"
    echo "date, server in $server: 10:00 $zone is $(TZ=$server date -u -d "Mon Nov 30 10:00:00 $zone 2026" '+%H:%M UTC' 2>/dev/null || echo invalid)"
  done
done
SH
cat >expected.txt <<'TXT'
Go, server in UTC: 10:00 CST is 10:00 UTC, error: <nil>
Go, server in UTC: 10:00 HKT is 10:00 UTC, error: <nil>
Go, server in UTC: 10:00 WIB is 10:00 UTC, error: <nil>
Node, server in UTC: 10:00 CST is 16:00 UTC
date, server in UTC: 10:00 CST is 16:00 UTC
Node, server in UTC: 10:00 HKT is invalid
date, server in UTC: 10:00 HKT is invalid
Node, server in UTC: 10:00 WIB is invalid
date, server in UTC: 10:00 WIB is invalid
Go, server in Asia/Shanghai: 10:00 CST is 02:00 UTC, error: <nil>
Go, server in Asia/Shanghai: 10:00 HKT is 10:00 UTC, error: <nil>
Go, server in Asia/Shanghai: 10:00 WIB is 10:00 UTC, error: <nil>
Node, server in Asia/Shanghai: 10:00 CST is 16:00 UTC
date, server in Asia/Shanghai: 10:00 CST is 16:00 UTC
Node, server in Asia/Shanghai: 10:00 HKT is invalid
date, server in Asia/Shanghai: 10:00 HKT is invalid
Node, server in Asia/Shanghai: 10:00 WIB is invalid
date, server in Asia/Shanghai: 10:00 WIB is invalid
Go, server in America/Chicago: 10:00 CST is 16:00 UTC, error: <nil>
Go, server in America/Chicago: 10:00 HKT is 10:00 UTC, error: <nil>
Go, server in America/Chicago: 10:00 WIB is 10:00 UTC, error: <nil>
Node, server in America/Chicago: 10:00 CST is 16:00 UTC
date, server in America/Chicago: 10:00 CST is 16:00 UTC
Node, server in America/Chicago: 10:00 HKT is invalid
date, server in America/Chicago: 10:00 HKT is invalid
Node, server in America/Chicago: 10:00 WIB is invalid
date, server in America/Chicago: 10:00 WIB is invalid
TXT
bash run.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
