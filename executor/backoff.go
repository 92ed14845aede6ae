package executor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/recourse-pay/recourse/policy"
)

// loop is backoff's loop with what a payment needs of it: a context that is over makes no
// further attempt, though its timer be ready, and when it stops because of its context the
// error holds both that and the last failure.
func loop(b backoff.BackOffContext, op func() error, t backoff.Timer) error {
	var last error
	ctx := b.Context()
	_, err := backoff.RetryNotifyWithTimerAndData(func() (struct{}, error) {
		if ctx.Err() != nil { // a ready timer and a done context: the loop may take either
			return struct{}{}, backoff.Permanent(ctx.Err())
		}
		last = op()
		return struct{}{}, last
	}, b, nil, t)
	late, stops := b.(interface{ late() bool })
	switch {
	case err == nil:
		return nil
	case stops && late.late() && ctx.Err() == nil:
		return errors.Join(context.DeadlineExceeded, err)
	case last == nil || errors.Is(last, err):
		return err
	}
	return errors.Join(err, last)
}

// BackOff is a schedule of the rules as a [backoff.BackOffContext], for calls that are no
// payments: fetching a settlement file, notifying a warehouse. Each method says how it differs
// from backoff's own. Make it with [NewBackOff]; it is for one goroutine.
type BackOff struct {
	ctx      context.Context
	schedule *policy.Schedule
	opts     BackOffOptions
	floor    time.Duration
	stopped  bool
}

// BackOffOptions may be nil, and each of its fields zero.
type BackOffOptions struct {
	Attempt       int            // failures so far, to go on after a restart
	MaxAttempts   int            // calls in all; 0: no limit
	MaxRetryAfter time.Duration  // cap on [BackOff.RetryAfter]; 0: 15 minutes
	Jitter        func() float64 // uniform in [0, 1); nil: math/rand/v2
}

// NewBackOff returns a back-off of a schedule, as read from rules.
func NewBackOff(ctx context.Context, s *policy.Schedule, o *BackOffOptions) *BackOff {
	b := &BackOff{ctx: ctx, schedule: s}
	if o != nil {
		b.opts = *o
	}
	if b.opts.MaxRetryAfter == 0 {
		b.opts.MaxRetryAfter = 15 * time.Minute
	}
	if b.opts.Jitter == nil {
		b.opts.Jitter = rand.Float64
	}
	return b
}

// Context implements [backoff.BackOffContext].
func (b *BackOff) Context() context.Context { return b.ctx }

// Reset does nothing: backoff's loop calls it as it begins, and would drop the attempts
// before a restart.
func (b *BackOff) Reset() {}

// Attempt is the number of failures so far, to be stored for [BackOffOptions].
func (b *BackOff) Attempt() int { return b.opts.Attempt }

// RetryAfter takes the wait that the callee asked for. The next wait is no shorter, up to the cap.
func (b *BackOff) RetryAfter(d time.Duration) { b.floor = min(d, b.opts.MaxRetryAfter) }

// NextBackOff implements [backoff.BackOff]. It stops rather than sleep past the deadline of
// the context.
func (b *BackOff) NextBackOff() time.Duration {
	n := b.opts.Attempt
	b.opts.Attempt++
	if b.ctx.Err() != nil || b.opts.MaxAttempts > 0 && b.opts.Attempt >= b.opts.MaxAttempts {
		return backoff.Stop
	}
	d := max(b.schedule.Jittered(b.schedule.Delay(n), unit(b.opts.Jitter())), b.floor)
	b.floor = 0
	if at, ok := b.ctx.Deadline(); ok && time.Until(at) < d {
		b.stopped = true
		return backoff.Stop
	}
	return d
}

func (b *BackOff) late() bool { return b.stopped }

// unit returns u if it is in [0, 1), else one half: a user's Jitter may be wrong.
func unit(u float64) float64 {
	if u >= 0 && u < 1 {
		return u
	}
	return 0.5
}

// Retry calls op until it succeeds, by a schedule: at most until b's context is over, or
// would be before the next attempt. The error then matches both the context's and op's last
// one. An error wrapped by [backoff.Permanent] ends it at once. op is not called at all when
// the context is over.
func Retry(b *BackOff, op func() error) error {
	if b.schedule == nil {
		return errors.New("executor: the schedule of NewBackOff must not be nil")
	}
	if b.opts.Attempt > 0 && b.opts.MaxAttempts > 0 && b.opts.Attempt >= b.opts.MaxAttempts {
		return fmt.Errorf("executor: all %d attempts of BackOffOptions.MaxAttempts were made before", b.opts.MaxAttempts)
	}
	return loop(b, op, &sleeper{})
}

// sleeper is a [backoff.Timer] that can be woken before its time. The zero value works.
type sleeper struct {
	mu    sync.Mutex
	c     chan time.Time
	timer *time.Timer
	woken bool // before the sleep began
}

// Start implements [backoff.Timer].
func (s *sleeper) Start(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channel()
	if s.woken || d <= 0 {
		s.woken = false
		select {
		case s.c <- time.Time{}:
		default:
		}
		return
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(d, s.wake)
		return
	}
	s.timer.Reset(d)
}

// Stop implements [backoff.Timer].
func (s *sleeper) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// C implements [backoff.Timer].
func (s *sleeper) C() <-chan time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channel()
}

func (s *sleeper) channel() chan time.Time {
	if s.c == nil {
		s.c = make(chan time.Time, 1)
	}
	return s.c
}

// wake ends a sleep, or the next one. One wake-up too many does no harm: the driver compares the
// clock with its wait.
func (s *sleeper) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		s.woken = true
		return
	}
	select {
	case s.c <- time.Time{}:
	default:
	}
}
