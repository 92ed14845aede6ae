package check

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

//go:embed ceilings.toml
var ceilingsFile []byte

// A CeilingRow is how often a card scheme allows a declined payment to be attempted again, as
// one source states it for one region and time.
type CeilingRow struct {
	Scheme, Region string
	Reattempts     int // after the first decline
	Window         time.Duration
	Classes        []policy.Class // of the declines it is about
	Program        string         // the scheme's programme, and what it counts
	Source         string         // title and address
	Since          string         // when it came into force, as far as the source says
	Read           string         // when the source was read
	Note           string
}

// Ceilings returns every row that is known.
func Ceilings() ([]CeilingRow, error) {
	var errs source.List
	doc, err := source.Parse("internal/check/ceilings.toml", ceilingsFile)
	if err != nil {
		return nil, err
	}
	var rows []CeilingRow
	root := doc.Root()
	for _, t := range root.Tables(&errs, "ceiling") {
		row := CeilingRow{
			Scheme: t.String(&errs, "scheme"), Region: t.String(&errs, "region"), Reattempts: t.Count(&errs, "reattempts", 0),
			Window: t.Duration(&errs, "window"), Program: t.String(&errs, "program"), Source: t.String(&errs, "source"),
			Since: t.String(&errs, "since"), Read: t.String(&errs, "read"), Note: t.String(&errs, "note"),
		}
		t.Each(&errs, "classes", func(pos source.Pos, name string) {
			var class policy.Class
			if err := class.UnmarshalText([]byte(name)); err != nil {
				errs.Add(pos, "%s", err)
			}
			row.Classes = append(row.Classes, class)
		})
		t.Done(&errs)
		rows = append(rows, row)
	}
	root.Done(&errs)
	return rows, errs.Err()
}

// String returns the row in one line: what it allows, and its source.
func (r *CeilingRow) String() string {
	return fmt.Sprintf("%s, %s, since %s: %d in %s (%s)", r.Scheme, r.Region, r.Since, r.Reattempts, days(r.Window), r.Source)
}

func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d > day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return fmt.Sprintf("%g hours", d.Hours())
}

// mostWithin returns the greatest number of re-attempts within a window, when each of n
// re-attempts follows the one before it after the schedule's shortest wait.
func mostWithin(s *policy.Schedule, n int, maxElapsed, window time.Duration) int {
	var at []time.Duration
	now := time.Duration(0)
	for i := range min(n, 10_000) {
		if s != nil {
			d := s.Delay(i)
			now += time.Duration(float64(d) * (1 - s.RandomizationFactor))
		}
		if now > maxElapsed {
			break
		}
		at = append(at, now)
	}
	most, first := 0, 0
	for i := range at {
		for at[i]-at[first] > window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
