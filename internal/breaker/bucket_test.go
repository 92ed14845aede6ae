package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/breaker"
)

// Whatever is taken and given, in whatever order the times come: the tokens lie between none and all, no time passes
// twice, and a wait that is over is long enough when nothing else is taken.
func TestBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 20
		start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		b := breaker.NewBucket(size, time.Second)
		taken, given, latest := 0.0, 0.0, time.Duration(0)
		if left := b.Left(start); left != size {
			t.Fatalf("it begins with %g", left)
		}
		for range rapid.IntRange(1, 40).Draw(t, "calls") {
			at := time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond
			latest = max(latest, at)
			if rapid.Bool().Draw(t, "gives") {
				given++
				b.Give(1)
				continue
			}
			cost := float64(rapid.IntRange(1, 10).Draw(t, "cost"))
			wait := b.Take(cost, start.Add(at))
			if wait == 0 {
				taken += cost
			} else if at == latest && b.Take(cost, start.Add(at+wait+time.Nanosecond)) > time.Microsecond {
				t.Fatal("a wait is too short")
			} else if at == latest {
				taken += cost
				latest = at + wait + time.Nanosecond
			}
			if most := size + given + latest.Seconds() + 0.001; taken > most {
				t.Fatalf("%g tokens were taken of %g", taken, most)
			}
			if left := b.Left(start.Add(latest)); left < 0 || left > size {
				t.Fatalf("%g tokens are left", left)
			}
		}
	})
}

// A wait of nothing is a grant, and a grant charges: tokens that are short by less than a nanosecond's are waited for.
func TestNothingIsGrantedWithoutACharge(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := breaker.NewBucket(1, 3*time.Nanosecond)
	if wait := b.Take(0.9, start); wait != 0 {
		t.Fatalf("a full bucket lets wait %s", wait)
	}
	if wait := b.Take(0.2, start); wait != time.Nanosecond {
		t.Errorf("a tenth of a token, which comes in less than a nanosecond, is waited for %s", wait)
	}
}
