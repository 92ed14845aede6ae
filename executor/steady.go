package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// Foreign code is what the caller brings: clients, hooks, observers, the journal. It may stall, panic, or
// end its goroutine. So none of it runs while a lock is held. Where a deadline bounds a method of the
// executor, it runs in another goroutine than the caller's. What it does not do in its time counts as
// not done, and is reported.

// Patience with foreign code.
const (
	grace        = 100 * time.Millisecond // of a method that is over, for what is under way to end by itself
	hookPatience = time.Minute            // with a hook
	readPatience = 5 * time.Second        // with the journal, of methods without a context that read
	putPatience  = 30 * time.Second       // with the journal, of Withdraw
)

// returned is what foreign code returned.
type returned[T any] struct {
	value T
	err   error
}

// inGoroutine calls foreign code in a goroutine of its own. A panic becomes an error, and so does the end of
// that goroutine.
func inGoroutine[T any](name, flow string, f func() (T, error)) <-chan returned[T] {
	out := make(chan returned[T], 1)
	go func() {
		r := returned[T]{err: fmt.Errorf("executor: flow %s: %s ended its goroutine", flow, name)}
		defer func() {
			if p := recover(); p != nil {
				r.err = &PanicError{Flow: flow, In: name, Value: p, Stack: debug.Stack()}
			}
			out <- r
		}()
		r.value, r.err = f()
	}()
	return out
}

// patiently calls foreign code, and does not wait longer than a while, or than ctx allows.
func patiently[T any](ctx context.Context, patience time.Duration, name, flow string, f func(context.Context) (T, error)) (none T, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("executor: flow %s: %s has not returned in %s: %w", flow, name, patience, context.DeadlineExceeded))
	defer cancel()
	out := inGoroutine(name, flow, func() (T, error) { return f(ctx) })
	select {
	case r := <-out:
		return r.value, r.err
	case <-ctx.Done():
	}
	select { // both may be ready
	case r := <-out:
		return r.value, r.err
	default:
		return none, context.Cause(ctx)
	}
}

// bounded calls what may stall on foreign code or the journal, and returns soon after ctx is over or the
// executor is closed. late makes the result then; what is under way goes on.
func bounded[T any](ctx context.Context, x *Executor, f func() (T, error), late func(why error) (T, error)) (T, error) {
	if ctx.Done() == nil { // no deadline: the caller waits
		return f()
	}
	out := inGoroutine("a caller's own code, or the journal,", "", f)
	select {
	case r := <-out:
		return r.value, r.err
	case <-ctx.Done():
	case <-x.life.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-out:
		return r.value, r.err
	case <-timer.C:
	}
	select { // both may be ready
	case r := <-out:
		return r.value, r.err
	default:
	}
	why := ctx.Err()
	if why == nil {
		why = ErrClosed
	}
	return late(why)
}

// boundedError is bounded for what has no result.
func boundedError(ctx context.Context, x *Executor, f func() error) error {
	_, err := bounded(ctx, x, func() (struct{}, error) { return struct{}{}, f() }, noResult[struct{}])
	return err
}

// noResult is the result of a method that could not wait.
func noResult[T any](why error) (none T, err error) { //nolint:unparam // the zero value of each method's own result
	if errors.Is(why, ErrClosed) {
		return none, why
	}
	return none, fmt.Errorf("executor: the journal or the caller's own code has not answered in time: %w", why)
}

// steady is a journal whose panics are errors. A write that panicked may have been stored.
type steady struct{ journal.Journal }

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = &PanicError{In: "the journal", Value: p, Stack: debug.Stack()}
	}
	*err = sound(*err)
}

func (s steady) Put(ctx context.Context, r *journal.Row, d journal.Durability) (err error) {
	defer recovered(&err)
	return s.Journal.Put(ctx, r, d)
}

func (s steady) Get(ctx context.Context, id string) (r journal.Row, err error) {
	defer recovered(&err)
	return s.Journal.Get(ctx, id)
}

func (s steady) ByKey(ctx context.Context, k journal.Key) (rows []journal.Row, err error) {
	defer recovered(&err)
	return s.Journal.ByKey(ctx, k)
}

func (s steady) Named(ctx context.Context, provider string, names ...string) (rows []journal.Row, err error) {
	defer recovered(&err)
	return s.Journal.Named(ctx, provider, names...)
}

func (s steady) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) (rows []journal.Row, err error) {
	defer recovered(&err)
	return s.Journal.Due(ctx, by, after, limit)
}

func (s steady) Prune(ctx context.Context, before time.Time) (n int, err error) {
	defer recovered(&err)
	return s.Journal.Prune(ctx, before)
}

func (s steady) List(ctx context.Context, f journal.Filter, after journal.Cursor, limit int) (rows []journal.Row, err error) {
	defer recovered(&err)
	return s.Journal.List(ctx, f, after, limit)
}

func (s steady) Count(ctx context.Context, f journal.Filter) (tallies []journal.Tally, err error) {
	defer recovered(&err)
	return s.Journal.Count(ctx, f)
}
