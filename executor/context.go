package executor

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of one call: its caller's, and a deadline. It is
// [context.WithDeadline], but for the price: a timer is set when somebody waits for Done,
// and not before. The deadline is one of the wall clock: a machine that slept wakes late.
type callContext struct {
	context.Context // the caller's
	deadline        time.Time

	mu    sync.Mutex
	done  chan struct{}
	err   error
	timer *time.Timer
	stop  func() bool // looking at the caller's
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
	return c.watch()
}

// watch begins to look at the clock and at the caller. The lock is held.
func (c *callContext) watch() <-chan struct{} {
	if c.done != nil {
		return c.done
	}
	c.done = make(chan struct{})
	if c.err != nil {
		close(c.done)
		return c.done
	}
	left := c.deadline.Sub(wallClock())
	if c.err = c.Context.Err(); c.err == nil && left <= 0 { // it was paused: not one instruction later
		c.err = context.DeadlineExceeded
	}
	if c.err != nil {
		close(c.done)
		return c.done
	}
	c.timer = time.AfterFunc(left, func() { c.end(context.DeadlineExceeded) })
	c.stop = context.AfterFunc(c.Context, func() { c.end(c.Context.Err()) })
	return c.done
}

// Err implements [context.Context].
func (c *callContext) Err() error { return c.over(true) }

// over is Err, with or without a look at the clock: where nobody can have taken the flow over
// since its deadline was set, just now, it is not worth the time.
func (c *callContext) over(clock bool) error {
	c.mu.Lock()
	err, watched := c.err, c.done != nil
	c.mu.Unlock()
	switch {
	case err != nil:
	case c.Context.Err() != nil:
		err = c.Context.Err()
	case clock && !wallClock().Before(c.deadline):
		err = context.DeadlineExceeded
	}
	if err != nil && watched {
		c.end(err) // Err and Done say the same
	}
	return err
}

// AfterFunc spares package context a goroutine for every child.
func (c *callContext) AfterFunc(f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	if c.after == nil {
		c.after = map[*func()]struct{}{}
	}
	c.after[&f] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.after[&f]
		delete(c.after, &f)
		return waiting
	}
}

// end is called when the call is over, too.
func (c *callContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.done == nil {
		return
	}
	close(c.done)
	c.timer.Stop()
	c.stop()
	for f := range c.after {
		go (*f)()
	}
	c.after = nil
}

// wallClock is the time without the monotonic reading, which stands still while a machine
// is suspended.
func wallClock() time.Time { return time.Now().Round(0).UTC() }
