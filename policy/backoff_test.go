package policy_test

import (
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// A schedule's names and meaning are those of backoff's ExponentialBackOff: without
// jitter the two wait the same.
func TestScheduleWaitsLikeBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := policy.Schedule{
			InitialInterval: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "initial")),
			Multiplier:      rapid.Float64Range(1, 10).Draw(t, "multiplier"),
		}
		s.MaxInterval = s.InitialInterval + time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "more"))
		b := backoff.NewExponentialBackOff(backoff.WithInitialInterval(s.InitialInterval), backoff.WithMultiplier(s.Multiplier),
			backoff.WithMaxInterval(s.MaxInterval), backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
		for n := range 30 {
			if want, got := b.NextBackOff(), s.Delay(n); got != want {
				t.Fatalf("wait %d is %s, backoff's is %s", n, got, want)
			}
		}
	})
}
