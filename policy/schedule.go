package policy

import (
	"fmt"
	"strings"
	"time"
)

// Schedule says how long to wait before each next step. Its names and meaning
// are those of backoff's ExponentialBackOff, or it is a fixed ladder.
type Schedule struct {
	Name                string
	InitialInterval     time.Duration
	Multiplier          float64
	RandomizationFactor float64 // 0.2: each wait is 80 % to 120 % of its nominal length
	MaxInterval         time.Duration
	Intervals           []time.Duration // a ladder; its last value repeats
}

// Delay returns the wait before step n (the first is 0), without jitter.
func (s *Schedule) Delay(n int) time.Duration {
	if n < 0 {
		n = 0
	}
	if len(s.Intervals) > 0 {
		return s.Intervals[min(n, len(s.Intervals)-1)]
	}
	d := s.InitialInterval
	for range n {
		if float64(d) >= float64(s.MaxInterval)/s.Multiplier {
			return s.MaxInterval
		}
		d = time.Duration(float64(d) * s.Multiplier)
	}
	return min(d, s.MaxInterval)
}

// Jittered spreads a delay by the schedule's randomization factor; u is uniform
// in [0, 1), and 0.5 leaves the delay as it is.
func (s *Schedule) Jittered(d time.Duration, u float64) time.Duration {
	if s.RandomizationFactor == 0 || u == 0.5 {
		return d
	}
	return time.Duration(float64(d) * (1 + s.RandomizationFactor*(2*u-1)))
}

// String shows the first waits: "2s -> 4s -> 8s -> …".
func (s *Schedule) String() string {
	const shown = 5
	parts := make([]string, 0, shown+1)
	for n := range shown {
		d := s.Delay(n)
		parts = append(parts, shortDuration(d))
		if d == s.Delay(n+1) {
			return strings.Join(parts, " -> ") + " -> …"
		}
	}
	return strings.Join(parts, " -> ") + " -> …"
}

func shortDuration(d time.Duration) string {
	text := d.String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "" || !strings.ContainsAny(text[len(text)-1:], "hmsµn") {
		return fmt.Sprint(d)
	}
	return text
}
