#!/usr/bin/env bash
# A payout that runs each day at 01:30 runs twice on one day of the year, and one at 02:30 not at all, or an hour early.
# Ran on 2026-11-30: robfig/cron v3.0.1, cronexpr v1.1.3, gronx v1.20.4, go-quartz v0.15.2, Go 1.26; croner 11.0.1, cron 4.4.0, cron-parser 5.10.6, @datasert/cronjs-matcher 1.4.0, Node 20.
# Guess: a cron expression that names one time a day is due once a day, also when the clocks change.
# Seen:  in New York, robfig/cron and cronexpr are due twice on 1 November; on 8 March they, gronx and cronjs-matcher leave 02:30 out, go-quartz is due at 01:30 of the old time, an hour early, cron and croner at 03:00, cron-parser at 03:30. All but the first two are due once on 1 November.
# Why:   they count on in wall-clock fields; the hour that comes twice matches twice, and the one that is skipped does not match.
# So:    customers are paid or billed twice, and it cannot be seen in any other month. Schedule in UTC, or key each run by its date.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent croner@11.0.1 cron@4.4.0 cron-parser@5.10.6 @datasert/cronjs-matcher@1.4.0
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get github.com/robfig/cron/v3@v3.0.1 github.com/hashicorp/cronexpr@v1.1.3 github.com/adhocore/gronx@v1.20.4 github.com/reugn/go-quartz@v0.15.2 2>&1 | grep -E 'cron|gronx|quartz' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/cronexpr"
	"github.com/reugn/go-quartz/quartz"
	"github.com/robfig/cron/v3"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	newYork := must(time.LoadLocation("America/New_York"))
	for _, day := range []struct {
		due   string
		start time.Time
	}{{"30 1 * * *", time.Date(2026, 11, 1, 0, 0, 0, 0, newYork)}, {"30 2 * * *", time.Date(2026, 3, 8, 0, 0, 0, 0, newYork)}} {
		end := day.start.AddDate(0, 0, 1)
		show := func(name string, next func(time.Time) time.Time) {
			fmt.Printf("%s of %s, %s:", day.due, day.start.Format("2 January"), name)
			due := "none"
			for t := next(day.start); t.Before(end); t = next(t) {
				due = strings.TrimPrefix(due+" and ", "none and ") + t.In(newYork).Format("15:04 MST")
			}
			fmt.Println(" " + due)
		}
		show("robfig/cron", must(cron.ParseStandard(day.due)).Next)
		show("cronexpr", must(cronexpr.Parse(day.due)).Next)
		show("gronx", func(t time.Time) time.Time { return must(gronx.NextTickAfter(day.due, t, false)) })
		trigger := must(quartz.NewCronTriggerWithLoc("0 "+day.due[:len(day.due)-1]+"?", newYork))
		show("go-quartz", func(t time.Time) time.Time { return time.Unix(0, must(trigger.NextFireTime(t.UnixNano()))) })
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >main.mjs <<'JS'
import { getFutureMatches } from '@datasert/cronjs-matcher';
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

const tz = 'America/New_York';
const kinds = {
  croner: (due, start) => new Cron(due, { timezone: tz }).nextRuns(2, start),
  cron: (due, start) => { const first = new CronTime(due, tz).getNextDateFrom(start, tz).toJSDate(); return [first, new CronTime(due, tz).getNextDateFrom(first, tz).toJSDate()]; },
  'cron-parser': (due, start) => { const it = CronExpressionParser.parse(due, { currentDate: start, tz }); return [it.next().toDate(), it.next().toDate()]; },
  'cronjs-matcher': (due, start) => getFutureMatches(due, { startAt: start.toISOString(), matchCount: 2, timezone: tz }).map((s) => new Date(s)),
};
for (const [due, start, end] of [['30 1 * * *', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'], ['30 2 * * *', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z']]) {
  for (const [name, next] of Object.entries(kinds)) {
    const on = next(due, new Date(start)).filter((t) => t < new Date(end)).map((t) => t.toLocaleTimeString('en-GB', { timeZone: tz, hour: '2-digit', minute: '2-digit', timeZoneName: 'longOffset' }));
    console.log(`${due} of ${start.slice(0, 10)}, ${name}: ${on.join(' ') || 'none'}`);
  }
}
JS
all() { go run . && node main.mjs; }
cat >expected.txt <<'TXT'
30 1 * * * of 1 November, robfig/cron: 01:30 EDT and 01:30 EST
30 1 * * * of 1 November, cronexpr: 01:30 EDT and 01:30 EST
30 1 * * * of 1 November, gronx: 01:30 EDT
30 1 * * * of 1 November, go-quartz: 01:30 EDT
30 2 * * * of 8 March, robfig/cron: none
30 2 * * * of 8 March, cronexpr: none
30 2 * * * of 8 March, gronx: none
30 2 * * * of 8 March, go-quartz: 01:30 EST
30 1 * * * of 2026-11-01, croner: 01:30 GMT-04:00
30 1 * * * of 2026-11-01, cron: 01:30 GMT-04:00
30 1 * * * of 2026-11-01, cron-parser: 01:30 GMT-04:00
30 1 * * * of 2026-11-01, cronjs-matcher: 01:30 GMT-04:00
30 2 * * * of 2026-03-08, croner: 03:00 GMT-04:00
30 2 * * * of 2026-03-08, cron: 03:00 GMT-04:00
30 2 * * * of 2026-03-08, cron-parser: 03:30 GMT-04:00
30 2 * * * of 2026-03-08, cronjs-matcher: none
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
