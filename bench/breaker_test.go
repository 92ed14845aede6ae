package bench_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/breaker"
)

// The executor's breaker lets through what a well-known one lets through, whatever the calls
// turn out to be and in whatever order they end.
func TestBreakerAgreesWithGobreaker(t *testing.T) {
	var errRefused, errNotMade = errors.New("refused"), errors.New("not made")
	results := map[breaker.Result]error{breaker.Success: nil, breaker.Failure: errRefused, breaker.NotMade: errNotMade}
	refused := 0
	rapid.Check(t, func(rt *rapid.T) {
		failures := rapid.IntRange(1, 4).Draw(rt, "failures")
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) [3]int {
			return [3]int{
				rapid.IntRange(0, 6).Draw(rt, "seconds"), rapid.IntRange(-1, 3).Draw(rt, "call that ends; -1: one begins"),
				rapid.IntRange(0, 2).Draw(rt, "result"),
			}
		}), 1, 60).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			ours := breaker.New(failures, 10*time.Second)
			theirs := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
				Timeout:     10 * time.Second,
				ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= failures },
				IsExcluded:  func(err error) bool { return err == errNotMade },
			})
			type call struct {
				ours   breaker.Permit
				theirs func(error)
			}
			var calls []call
			for _, s := range steps {
				time.Sleep(time.Duration(s[0])*time.Second + time.Nanosecond) // they still refuse at the very end of the open time
				if i := s[1]; i >= 0 && i < len(calls) {
					r := breaker.Result(s[2])
					calls[i].ours.Done(r, time.Now())
					calls[i].theirs(results[r])
					calls = append(calls[:i], calls[i+1:]...)
					continue
				}
				permit, wait := ours.Allow(time.Now())
				done, err := theirs.Allow()
				if permit.Valid() != (err == nil) {
					t.Fatalf("ours allows: %v (wait %s); theirs: %v; %d failures open it; steps %v", permit.Valid(), wait, err, failures, steps)
				}
				if err != nil {
					refused++
					continue
				}
				calls = append(calls, call{permit, done})
			}
		})
	})
	if refused == 0 && !testing.Short() { // with few steps it happens by chance
		t.Error("no call was ever refused: the test compares nothing")
	}
}
