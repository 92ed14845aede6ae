package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// ready is a timer that is always ready.
type ready struct{ c chan time.Time }

func (r *ready) Start(time.Duration) {
	select {
	case r.c <- time.Time{}:
	default:
	}
}
func (r *ready) Stop()               {}
func (r *ready) C() <-chan time.Time { return r.c }

// cancels is an observer that cancels as the flow begins to wait.
type cancels struct {
	executor.NoopObserver
	cancel atomic.Pointer[context.CancelFunc]
}

func (c *cancels) Waiting(context.Context, *executor.WaitEvent) { (*c.cancel.Load())() }

const eager = `
[schedule.eager]
intervals = ["1ns"]

[[rule]]
id       = "eager"
when     = 'class == "maintenance" && !in_doubt'
then     = "retry_new_request"
schedule = "eager"
reason   = "at once"
`

// The context is cancelled while the timer is ready: backoff's own loop makes one call more about
// every other time. Neither Retry nor Do makes any.
func TestACancelledContextMakesNoFurtherCall(t *testing.T) {
	tries := testkit.Size(2_000, 20_000, 20_000)
	further := map[string]int{}
	failing := func(calls *int) func() error { return func() error { *calls++; return errBroken } }
	for range tries {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		_ = backoff.RetryNotifyWithTimer(failing(&calls), backoff.WithContext(&backoff.ZeroBackOff{}, ctx),
			func(error, time.Duration) { cancel() }, &ready{make(chan time.Time, 1)})
		further["backoff"] += calls - 1
		cancel()
	}
	now := &policy.Schedule{Intervals: []time.Duration{0}}
	for range tries {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		b := executor.NewBackOff(ctx, now, &executor.BackOffOptions{Jitter: func() float64 { cancel(); return 0 }})
		if err := executor.Retry(b, failing(&calls)); !errors.Is(err, context.Canceled) || !errors.Is(err, errBroken) {
			t.Fatalf("Retry: %v", err)
		}
		further["Retry"] += calls - 1
		cancel()
	}
	watch := &cancels{}
	x, err := executor.New(rulesOf(t, map[string]string{"merchants/acme.toml": eager}), &executor.Config{
		Observers: []executor.Observer{watch}, Budget: executor.Budget{Off: true}, Breaker: executor.Breaker{Off: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range tries {
		ctx, cancel := context.WithCancel(context.Background())
		watch.cancel.Store(&cancel)
		b := &bank{sends: []reply{shut}}
		q := of("acme", payment(""))
		q.OrderID = fmt.Sprint("o-", n) // on a busy machine Do returns before its flow has ended
		if _, err := x.Do(ctx, q, b); !errors.Is(err, context.Canceled) {
			t.Fatalf("Do: %v", err)
		}
		sends, _ := b.calls()
		further["Do"] += max(0, sends-1) // the observer of the flow before may have cancelled it too
		cancel()
	}
	if err := shutDown(x); err != nil {
		t.Error(err)
	}
	t.Logf("further calls in %d tries: %v", tries, further)
	if further["backoff"] < tries/10 || further["Retry"] != 0 || further["Do"] != 0 {
		t.Errorf("further calls: %v", further)
	}
}

func TestRetry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &policy.Schedule{InitialInterval: time.Second, Multiplier: 2, MaxInterval: time.Minute}
		start, calls := time.Now(), 0
		fail := func(n int) func() error {
			calls, start = 0, time.Now()
			return func() error {
				if calls++; calls <= n {
					return errBroken
				}
				return nil
			}
		}
		bg := context.Background()
		if err := executor.Retry(executor.NewBackOff(bg, s, nil), fail(3)); err != nil || calls != 4 || time.Since(start) != 7*time.Second {
			t.Errorf("%d calls in %s: %v", calls, time.Since(start), err)
		}
		b := executor.NewBackOff(bg, s, &executor.BackOffOptions{Attempt: 2, MaxAttempts: 5})
		if err := executor.Retry(b, fail(9)); !errors.Is(err, errBroken) || calls != 3 || time.Since(start) != 12*time.Second || b.Attempt() != 5 {
			t.Errorf("from the third on: %d calls in %s, at attempt %d: %v", calls, time.Since(start), b.Attempt(), err)
		}
		if err := executor.Retry(b, fail(0)); err == nil || calls != 0 {
			t.Errorf("all attempts were made before: %d calls, %v", calls, err)
		}
		err := executor.Retry(executor.NewBackOff(within(t, 5*time.Second), s, nil), fail(9))
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBroken) || calls != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("before its deadline: %d calls in %s: %v", calls, time.Since(start), err)
		}
		gone, cancel := context.WithCancel(bg)
		cancel()
		if err := executor.Retry(executor.NewBackOff(gone, s, nil), fail(0)); !errors.Is(err, context.Canceled) || calls != 0 {
			t.Errorf("a context that is over: %d calls, %v", calls, err)
		}
		op := fail(9)
		err = executor.Retry(executor.NewBackOff(bg, s, nil), func() error { return backoff.Permanent(op()) })
		if err != errBroken || calls != 1 {
			t.Errorf("permanent: %d calls, %v", calls, err)
		}
		if executor.Retry(executor.NewBackOff(bg, nil, nil), fail(0)) == nil {
			t.Error("without a schedule")
		}
	})
}

func TestRetryAfterIsAFloorWithACap(t *testing.T) {
	s := &policy.Schedule{Intervals: []time.Duration{time.Second, time.Minute, time.Hour}}
	b := executor.NewBackOff(context.Background(), s, &executor.BackOffOptions{MaxRetryAfter: 10 * time.Minute})
	b.RetryAfter(5 * time.Second)
	if d := b.NextBackOff(); d != 5*time.Second {
		t.Errorf("the floor: %s", d)
	}
	b.RetryAfter(24 * time.Hour)
	if d := b.NextBackOff(); d != 10*time.Minute {
		t.Errorf("the cap: %s", d)
	}
	b.RetryAfter(time.Second)
	b.Reset()
	for range 2 {
		if d := b.NextBackOff(); d != time.Hour {
			t.Errorf("the schedule: %s", d)
		}
	}
	b.RetryAfter(-time.Hour)
	if d := b.NextBackOff(); d != time.Hour {
		t.Errorf("below zero: %s", d)
	}
}

// A back-off waits as its schedule says, from whatever attempt on, with whatever jitter.
func TestBackOffIsItsSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &policy.Schedule{
			InitialInterval: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "initial")), Multiplier: rapid.Float64Range(1, 10).Draw(t, "multiplier"),
			RandomizationFactor: rapid.Float64Range(0, 1).Draw(t, "spread"), MaxInterval: time.Duration(rapid.Int64Range(int64(time.Hour), int64(100*time.Hour)).Draw(t, "most")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "rungs") {
			s.Intervals = append(s.Intervals, time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "rung")))
		}
		u := rapid.SampledFrom([]float64{0, 0.5, 0.999999, 1, -1, 7, math.NaN(), math.Inf(1)}).Draw(t, "jitter")
		inside := u
		if !(u >= 0 && u < 1) {
			inside = 0.5
		}
		from := rapid.IntRange(0, 40).Draw(t, "from")
		b := executor.NewBackOff(context.Background(), s, &executor.BackOffOptions{Attempt: from, Jitter: func() float64 { return u }})
		for n := from; n < from+20; n++ {
			if got, want := b.NextBackOff(), s.Jittered(s.Delay(n), inside); got != want || got < 0 {
				t.Fatalf("wait %d is %s, want %s", n, got, want)
			}
		}
	})
}

func TestWaitsAreSpreadByTheConfiguredJitter(t *testing.T) {
	for u, want := range map[float64]time.Duration{
		0: 1600 * time.Millisecond, 0.5: 2 * time.Second, 0.999: 2_399_200 * time.Microsecond,
		1: 2 * time.Second, -0.1: 2 * time.Second, math.Inf(1): 2 * time.Second,
	} {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{working}, asks: []reply{paidAsk}}
			start := time.Now()
			carry(t, open(t, defaults(), executor.Config{Jitter: func() float64 { return u }}), payment("k"), b)
			if took := time.Since(start); (took - want).Abs() > time.Millisecond {
				t.Errorf("jitter %g: %s, want %s", u, took, want)
			}
		})
	}
}

func TestWhatTheProviderAsksForIsAFloorWithACap(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{time.Second: time.Minute, 10 * time.Minute: 10 * time.Minute, 20 * time.Hour: time.Hour} {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{{answer: policy.Answer{Code: "10", RetryAfter: asked}}, paidNow}}
			start := time.Now()
			carry(t, open(t, defaults(), executor.Config{}), payment("k"), b)
			if took := time.Since(start); took != want {
				t.Errorf("%s was asked for, and it waited %s, want %s", asked, took, want)
			}
		})
	}
}
