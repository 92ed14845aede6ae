package simulate

import (
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The twin of fastTime is time.Parse: where fastTime answers, both say the same.
func sameTime(t failer, text string) {
	t.Helper()
	got, ok := fastTime([]byte(text))
	want, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case ok && err != nil:
		t.Fatalf("%q: fastTime reads %s, time.Parse refuses: %v", text, got.time(), err)
	case ok && got != moment(want.UnixMicro()):
		t.Fatalf("%q: fastTime reads %s, time.Parse %s", text, got.time(), want)
	}
	general, failed := readTime([]byte(text))
	if (failed == nil) != (err == nil) || err == nil && general != moment(want.UnixMicro()) {
		t.Fatalf("%q: readTime reads %s (%v), time.Parse %s (%v)", text, general.time(), failed, want, err)
	}
}

func TestFastTimeEqualsParse(t *testing.T) {
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
			if _, ok := fastTime([]byte(text)); !ok {
				t.Fatalf("%q is not read the fast way", text)
			}
		}
	})
}

// Digits in the right places, and seldom a time.
func TestFastTimeRefusesWhatParseRefuses(t *testing.T) {
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

func FuzzFastTime(f *testing.F) {
	f.Add("2026-01-02T03:04:05.123Z")
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" {
			sameTime(t, text)
		}
	})
}

// The twin of a histogram is the sorted list.
func TestQuantilesWithinTwoPercent(t *testing.T) {
	durations := rapid.Map(rapid.Uint64Range(0, 1<<58), func(n uint64) time.Duration { return time.Duration(n >> (n % 50)) })
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(durations, 1, 200).Draw(t, "durations")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		var h, other histogram
		for _, d := range all[:cut] {
			h.add(d)
		}
		for _, d := range all[cut:] {
			other.add(d)
		}
		h.join(&other)
		sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
		for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
			exact := all[int(q*float64(len(all)-1))]
			off := max(exact-h.quantile(q), h.quantile(q)-exact)
			if off > exact/50+time.Microsecond {
				t.Fatalf("quantile %v is %s, of the list %s", q, h.quantile(q), exact)
			}
		}
	})
}

func TestQuantilesAtTheEdges(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("of nothing: %s", got)
	}
	h.add(-time.Second) // an end before its start counts as none
	h.add(1 << 62)      // a century and more: the last bucket
	if low, high := h.quantile(0), h.quantile(1); low != 0 || high < 9*365*24*time.Hour {
		t.Errorf("from %s to %s", low, high)
	}
}
