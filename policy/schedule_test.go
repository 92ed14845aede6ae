package policy_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

const ms, s, m, h = time.Millisecond, time.Second, time.Minute, time.Hour

func exponential(initial time.Duration, multiplier float64, longest time.Duration) policy.Schedule {
	return policy.Schedule{InitialInterval: initial, Multiplier: multiplier, MaxInterval: longest}
}

func ladder(steps ...time.Duration) policy.Schedule { return policy.Schedule{Intervals: steps} }

func TestScheduleDelay(t *testing.T) {
	tests := []struct {
		name  string
		sched policy.Schedule
		n     int
		want  time.Duration
	}{
		{"the first wait is the initial interval", exponential(2*s, 2, 15*m), 0, 2 * s},
		{"each wait is the last one times the multiplier", exponential(2*s, 2, 15*m), 3, 16 * s},
		{"a broken multiplier", exponential(1*s, 1.5, h), 2, 2250 * ms},
		{"a multiplier of one never grows", exponential(5*s, 1, h), 1000, 5 * s},
		{"the cap is reached exactly", exponential(1*s, 2, 8*s), 3, 8 * s},
		{"the cap holds between two steps", exponential(1*s, 2, 5*s), 3, 5 * s},
		{"the cap holds for the first wait too", exponential(10*s, 2, 5*s), 0, 5 * s},
		{"a big n does not overflow", exponential(h, 10, 24*h), math.MaxInt32, 24 * h},
		{"the longest cap there is", exponential(h, 10, math.MaxInt64), 10_000, math.MaxInt64},
		{"a negative n is the first wait", exponential(2*s, 2, 15*m), -7, 2 * s},
		{"a ladder's first rung", ladder(5*m, h, 24*h), 0, 5 * m},
		{"a ladder's last rung", ladder(5*m, h, 24*h), 2, 24 * h},
		{"a ladder's last rung repeats", ladder(5*m, h, 24*h), math.MaxInt, 24 * h},
		{"a ladder for a negative n", ladder(5*m, h), math.MinInt, 5 * m},
		{"a ladder may go down", ladder(h, 5*m), 1, 5 * m},
		{"a ladder has no cap", policy.Schedule{Intervals: []time.Duration{h}, MaxInterval: s}, 0, h},
		{"nothing set is no wait", policy.Schedule{}, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.sched.Delay(tt.n); got != tt.want {
				t.Errorf("Delay(%d) = %s, want %s", tt.n, got, tt.want)
			}
		})
	}
}

// The twin is the textbook's formula, which overflows where Delay must not.
func TestExponentialDelayIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sched := policy.Schedule{
			InitialInterval: time.Duration(rapid.Int64Range(int64(s), int64(h)).Draw(t, "initial")),
			Multiplier:      rapid.Float64Range(1, 10).Draw(t, "multiplier"),
			MaxInterval:     time.Duration(rapid.Int64Range(int64(h), int64(100*24*h)).Draw(t, "max")),
		}
		n := rapid.IntRange(0, 400).Draw(t, "n")
		got := sched.Delay(n)
		nominal := math.Min(float64(sched.InitialInterval)*math.Pow(sched.Multiplier, float64(n)), float64(sched.MaxInterval))
		if math.Abs(float64(got)-nominal) > 1e-6*nominal+1 {
			t.Fatalf("Delay(%d) = %s, want about %s", n, got, time.Duration(nominal))
		}
		if next := sched.Delay(n + 1); next < got || next > sched.MaxInterval {
			t.Fatalf("after %s comes %s, with a cap of %s", got, next, sched.MaxInterval)
		}
	})
}

func TestJittered(t *testing.T) {
	tests := []struct {
		name   string
		factor float64
		u      float64
		want   time.Duration
	}{
		{"without a factor nothing is spread", 0, 0.99, 10 * s},
		{"the middle leaves the delay as it is", 0.2, 0.5, 10 * s},
		{"the least", 0.2, 0, 8 * s},
		{"a quarter", 0.2, 0.25, 9 * s},
		{"nearly the most", 0.2, 0.75, 11 * s},
		{"a full factor can take the wait away", 1, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sched := policy.Schedule{RandomizationFactor: tt.factor}
			if got := sched.Jittered(10*s, tt.u); got != tt.want {
				t.Errorf("Jittered(10s, %v) = %s, want %s", tt.u, got, tt.want)
			}
		})
	}
}

func TestJitterStaysWithinItsFactor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.Float64Range(0, 1).Draw(t, "factor")
		u := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "u")
		d := time.Duration(rapid.Int64Range(0, int64(1000*h)).Draw(t, "d"))
		sched := policy.Schedule{RandomizationFactor: factor}
		got, spread := float64(sched.Jittered(d, u)), factor*float64(d)+1
		if got < float64(d)-spread || got > float64(d)+spread || got < 0 {
			t.Fatalf("Jittered(%s, %v) = %s with a factor of %v", d, u, time.Duration(got), factor)
		}
	})
}

func TestScheduleString(t *testing.T) {
	tests := []struct {
		name  string
		sched policy.Schedule
		want  string
	}{
		{"five waits of an endless schedule", exponential(2*s, 2, 15*m), "2s -> 4s -> 8s -> 16s -> 32s -> …"},
		{"it stops where it repeats", exponential(10*s, 2, 20*s), "10s -> 20s -> …"},
		{"a constant", exponential(90*s, 1, h), "1m30s -> …"},
		{"a ladder", ladder(5*m, h, 24*h), "5m -> 1h -> 24h -> …"},
		{"zeros that belong to a number stay", ladder(100*ms, 10*s, 20*m, 70*m), "100ms -> 10s -> 20m -> 1h10m -> …"},
		{"seconds after minutes stay", ladder(70*s, 90*m+30*s), "1m10s -> 1h30m30s -> …"},
		{"hours and seconds", ladder(h + s), "1h0m1s -> …"},
		{"no wait at all", policy.Schedule{}, "0s -> …"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.sched.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
		})
	}
}
