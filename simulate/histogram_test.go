package simulate

import (
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The oracle of a histogram is the sorted list.
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
