package imports

import (
	"strings"
	"testing"
	"time"
)

// CST is the time of China and of Chicago: which one is meant is said by the mapping, never by the server's own zone.
func TestNamesOfZones(t *testing.T) {
	here := time.Local //nolint:gosmopolitan // the test stands in another place
	t.Cleanup(func() { time.Local = here })
	for _, server := range []string{"UTC", "Asia/Shanghai", "America/Chicago"} {
		time.Local = zoneOf(t, server)
		for _, c := range []struct{ zone, layout, text, want string }{
			{"Asia/Shanghai", time.UnixDate, "Mon Nov 30 10:00:00 CST 2026", "02:00"},
			{"America/Chicago", time.UnixDate, "Mon Nov 30 10:00:00 CST 2026", "16:00"},
			{"UTC", time.UnixDate, "Mon Nov 30 10:00:00 CST 2026", "has the zone CST"},
			{"Asia/Shanghai", time.UnixDate, "Mon Nov 30 10:00:00 HKT 2026", "none of Asia/Shanghai's"},
			{"Asia/Shanghai", time.UnixDate, "Mon Nov 30 10:00:00 UTC 2026", "10:00"},
			{"Asia/Shanghai", time.UnixDate, "Mon Nov 30 10:00:00 GMT 2026", "10:00"},
			{"Asia/Shanghai", "2006-01-02 15:04:05 -0700", "2026-11-30 10:00:00 +0000", "10:00"},
			{"Asia/Shanghai", "2006-01-02 15:04:05 -0700 MST", "2026-11-30 10:00:00 +0000 WET", "10:00"},
			{"Asia/Shanghai", "2006-01-02 15:04:05", "2026-11-30 10:00:00", "02:00"},
		} {
			m := Mapping{layout: c.layout, zone: zoneOf(t, c.zone)}
			at, err := m.time(c.text)
			got := at.Format("15:04")
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("server in %s, zone %s: %s is %s, want %s", server, c.zone, c.text, got, c.want)
			}
		}
	}
}

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
