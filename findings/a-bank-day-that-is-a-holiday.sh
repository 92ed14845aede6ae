#!/usr/bin/env bash
# The last Friday of 2027 is a holiday for three calendars, and the Federal Reserve's banks are open.
# Ran on 2026-12-01: rickar/cal v2.1.13, date-holidays 3.37.0, @18f/us-federal-holidays 4.0.0, @date/holidays-us 0.4.0, Go 1.26, Node 20.
# Guess: a calendar of holidays of the United States says on which days banks settle; where a holiday is on a Saturday, the Friday before is one of those days.
# Seen:  24 and 31 December 2027 and 18 June 2027 are no working days for cal, and holidays for date-holidays and the package of the federal ones. The fourth, asked for banks, has 24 December, not 31 December, and no Juneteenth at all. Only the option shiftSaturdayHolidays: false gives the banks' days.
# Why:   offices of the government close on the Friday before; the Federal Reserve moves holidays from Sunday to Monday, and none from Saturday to Friday.
# So:    a payout or a chargeback's answer that is due within two bank days is planned a day late three times in 2027, twice at the year's end, and two services with two calendars disagree. Take the Federal Reserve's own list.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/rickar/cal/v2@v2.1.13 2>&1 | grep -F 'added github.com/rickar/cal/v2 ' || true
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent date-holidays@3.37.0 @18f/us-federal-holidays@4.0.0 @date/holidays-us@0.4.0
npm ls --depth 0 | tail -n +2
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/us"
)

func main() {
	calendar := cal.NewBusinessCalendar()
	calendar.AddHoliday(us.Holidays...)
	for _, day := range []string{"2027-06-18", "2027-12-24", "2027-12-31", "2028-01-01", "2027-11-25"} {
		date, err := time.Parse(time.DateOnly, day)
		if err != nil {
			panic(err)
		}
		fmt.Printf("cal: %s %s, working day %t\n", date.Weekday().String()[:3], day, calendar.IsWorkday(date))
	}
}
GO
cat >main.mjs <<'JS'
import federal from '@18f/us-federal-holidays';
import us from '@date/holidays-us';
import Holidays from 'date-holidays';

const all = new Holidays('US');
const bank = us.bank();
for (const day of ['2027-06-18', '2027-12-24', '2027-12-31', '2028-01-01', '2027-11-25']) {
  const [y, m, d] = day.split('-').map(Number);
  const local = new Date(y, m - 1, d, 12);
  const open = (all.isHoliday(local) || []).every((holiday) => holiday.type !== 'public');
  const days = { 'date-holidays': !open, federal: federal.isAHoliday(local), 'federal, no shift': federal.isAHoliday(local, { shiftSaturdayHolidays: false }), 'date/holidays-us, banks': bank.isHoliday(new Date(y, m - 1, d)) };
  console.log(`${day}: ${Object.entries(days).map(([name, holiday]) => `${name} ${holiday ? 'holiday' : 'open'}`).join('; ')}`);
}
JS
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
cal: Fri 2027-06-18, working day false
cal: Fri 2027-12-24, working day false
cal: Fri 2027-12-31, working day false
cal: Sat 2028-01-01, working day false
cal: Thu 2027-11-25, working day false
2027-06-18: date-holidays holiday; federal holiday; federal, no shift open; date/holidays-us, banks open
2027-12-24: date-holidays holiday; federal holiday; federal, no shift open; date/holidays-us, banks holiday
2027-12-31: date-holidays holiday; federal holiday; federal, no shift open; date/holidays-us, banks open
2028-01-01: date-holidays holiday; federal open; federal, no shift holiday; date/holidays-us, banks holiday
2027-11-25: date-holidays holiday; federal holiday; federal, no shift holiday; date/holidays-us, banks holiday
TXT
export TZ=America/New_York
{ go run . ; node main.mjs; } 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
