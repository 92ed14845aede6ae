package recorded

import (
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The oracle of parseCommonTime is time.Parse: where parseCommonTime answers, both agree.
func sameTime(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string) {
	t.Helper()
	got, ok := parseCommonTime([]byte(text))
	want, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case ok && err != nil:
		t.Fatalf("%q: parseCommonTime reads %s, time.Parse refuses: %v", text, got, err)
	case ok && got.UnixMicro() != want.UnixMicro():
		t.Fatalf("%q: parseCommonTime reads %s, time.Parse %s", text, got, want)
	}
	general, failed := parseTime([]byte(text))
	if (failed == nil) != (err == nil) || err == nil && general.UnixMicro() != want.UnixMicro() {
		t.Fatalf("%q: parseTime reads %s (%v), time.Parse %s (%v)", text, general, failed, want, err)
	}
}

func TestCommonTimeEqualsParse(t *testing.T) {
	layouts := []string{
		"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.0Z", "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.000000Z",
		"2006-01-02T15:04:05.000000000Z", time.RFC3339Nano,
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanos"))
		zone := time.FixedZone("", rapid.IntRange(-14, 14).Draw(t, "zone")*1800)
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		if layout == time.RFC3339Nano {
			sameTime(t, at.In(zone).Format(layout))
			return
		}
		text := at.UTC().Format(layout)
		sameTime(t, text)
		if len(text) <= 27 {
			if _, ok := parseCommonTime([]byte(text)); !ok {
				t.Fatalf("%q is not read the fast way", text)
			}
		}
	})
}

func TestMain(m *testing.M) {
	flag.Parse()
	// A failed property prints the seed that repeats it; no file is left in the tree.
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Digits in the right places, and seldom a time.
func TestCommonTimeRefusesWhatParseRefuses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sameTime(t, rapid.StringMatching(`[0-9]{4}-[0-3][0-9]-[0-4][0-9]T[0-3][0-9]:[0-9]{2}:[0-9]{2}(\.[0-9]{0,8})?Z?`).Draw(t, "text"))
	})
}

func TestTimesAtTheEdges(t *testing.T) {
	for _, text := range []string{
		"1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2024-02-29T23:59:59.1Z", "2023-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.12345678Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00z", "2026-01-01t00:00:00Z",
		"2026-01-01 00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00-07:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
		"+026-01-01T00:00:00Z", "2026-01-01T00:00:0 Z", "0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z", "0000-03-01T00:00:00Z",
	} {
		sameTime(t, text)
	}
}

func FuzzCommonTime(f *testing.F) {
	f.Add("2026-01-02T03:04:05.123Z")
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" {
			sameTime(t, text)
		}
	})
}
