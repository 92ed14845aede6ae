package executor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// callContext is the context of one call: its caller's, and a deadline. It differs from
// [context.WithDeadline] in two ways. It sets a timer only when Done is called: many clients
// never do. And its deadline is one of the wall clock: the monotonic clock stands still while a
// machine is suspended.
type callContext struct {
	context.Context           // the caller's
	deadline        time.Time // by the clock
	clock           *clock
	offset          time.Duration // of the wall clock, when the deadline was set

	err   atomic.Pointer[error] // nil: it is not over; written with the lock held
	mu    sync.Mutex
	timer *callTimer // nil: Done was not called

	sole atomic.Pointer[soleRequest] // of a call through [Once]; nil: it made no request yet
}

// The usual errors of contexts; a pointer to one needs no allocation.
var canceled, exceeded = &context.Canceled, &context.DeadlineExceeded

//nolint:errorlint // only the two errors themselves have a pointer that can be shared
func pointTo(err error) *error {
	switch err {
	case context.Canceled:
		return canceled
	case context.DeadlineExceeded:
		return exceeded
	}
	other := err
	return &other
}

// callTimer closes a channel when a call's time is over.
type callTimer struct {
	done  chan struct{}
	timer *time.Timer
	stop  func() bool // looking at the caller's context
	after map[*func()]struct{}
}

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	if d, ok := c.Context.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startTimerLocked().done
}

// startTimerLocked starts the timer and follows the caller's context, once. The lock is held.
func (c *callContext) startTimerLocked() *callTimer {
	if c.timer != nil {
		return c.timer
	}
	w := &callTimer{done: make(chan struct{})}
	c.timer = w
	left := c.deadline.Sub(c.clock.now())
	if c.err.Load() == nil {
		if err := c.Context.Err(); err != nil {
			c.err.Store(pointTo(err))
		} else if left <= 0 { // the process was paused: the client must not send
			c.err.Store(exceeded)
		}
	}
	if c.err.Load() != nil {
		close(w.done)
		return w
	}
	w.timer = time.AfterFunc(left, func() { c.end(context.DeadlineExceeded) })
	w.stop = context.AfterFunc(c.Context, func() { c.end(c.Context.Err()) })
	return w
}

// Err implements [context.Context].
func (c *callContext) Err() error { return c.errAt(true) }

// errAt is Err, with or without reading the clock. Without a journal no other process can have
// taken the flow over, and reading the clock costs more than it proves.
func (c *callContext) errAt(clock bool) error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	err := c.Context.Err()
	if err == nil && clock && c.clock.passed(c.deadline, c.offset) {
		err = context.DeadlineExceeded
	}
	if err == nil {
		return nil
	}
	c.end(err) // Err and Done say the same, from now on
	return *c.err.Load()
}

// AfterFunc makes package context use no goroutine for each child.
func (c *callContext) AfterFunc(f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.startTimerLocked()
	if c.err.Load() != nil {
		go f()
		return func() bool { return false }
	}
	if w.after == nil {
		w.after = map[*func()]struct{}{}
	}
	w.after[&f] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := w.after[&f]
		delete(w.after, &f)
		return waiting
	}
}

// end cancels the context. It is also called when the call has returned.
func (c *callContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err.Load() != nil {
		return
	}
	c.err.Store(pointTo(err))
	w := c.timer
	if w == nil {
		return
	}
	close(w.done)
	w.timer.Stop()
	w.stop()
	for f := range w.after {
		go (*f)()
	}
	w.after = nil
}
