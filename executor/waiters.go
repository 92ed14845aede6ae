package executor

import (
	"context"

	"github.com/recourse-pay/recourse/flow"
)

// waiters are the callers that want a flow's result. The flow's lock guards it.
type waiters struct {
	callers    int32         // of Do that wait
	background bool          // Start was called: the flow goes on without callers
	changed    chan struct{} // closed at the next change; nil: no caller waits
	result     *Result       // made when the flow has ended and a caller asks
	err        error         // why it never began; a *movedError: it turned out to be another flow
}

// movedError refers those who joined a flow to the flow of the same key that was found later.
type movedError struct{ to *run }

func (e *movedError) Error() string { return "executor: the flow is " + e.to.id }

// notBegunError is for those who joined a flow that never began.
type notBegunError struct{ error }

func (e *notBegunError) Unwrap() error { return e.error }

// add counts the caller of other, or notes that the flow is to run in the background.
func (w *waiters) add(other *waiters) {
	if other.background {
		w.background = true
	} else {
		w.callers++
	}
}

// remove takes a caller of Do away, and reports whether the flow has none left.
func (w *waiters) remove() (none bool) {
	w.callers--
	return w.callers <= 0 && !w.background
}

// broadcast wakes those who wait for a change.
func (w *waiters) broadcast() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// channel is closed at the next change.
func (w *waiters) channel() <-chan struct{} {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// removeCaller is waiters.remove with the lock taken.
func (r *run) removeCaller() (none bool) {
	r.mu.Look()
	defer r.mu.Unlock()
	return r.waiters.remove()
}

// signalEnd wakes the callers and the driver, and cancels a query that is under way: the end
// has answered it. The lock is held.
func (r *run) signalEnd() {
	r.waiters.broadcast()
	r.plan.wake()
	if r.calls.current != nil {
		r.calls.current.ctx.end(context.Canceled)
	}
}

// resultLocked returns the result once the flow has ended, else nil. The lock is held.
func (r *run) resultLocked() *Result {
	if r.state.Stage != flow.Ended {
		return nil
	}
	if r.waiters.result == nil {
		var result *Result
		if f := r.firsts; f != nil && f.result.Flow == "" { // else a caller may hold the first one
			result = &f.result
		} else {
			result = new(Result)
		}
		result.set(r.id, &r.state, r.trace.snapshot())
		result.shopper = r.shopper
		r.waiters.result = result
	}
	return r.waiters.result
}

// waitUntil blocks until done returns true, ctx is over, or the executor is closed. done is
// called with the lock held.
func (r *run) waitUntil(ctx context.Context, done func() bool) error {
	for {
		r.mu.Look()
		err := r.waiters.err
		if (err == nil || !isMoved(err)) && done() { // how a flow ends that makes way for another one is of no concern
			r.mu.Unlock()
			return nil
		}
		if err != nil {
			r.mu.Unlock()
			return err
		}
		if r.life == lost {
			r.mu.Unlock()
			return r.pendingError(ErrTakenOver)
		}
		changed := r.waiters.channel()
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return r.pendingError(ctx.Err())
		case <-r.x.life.Done():
			return r.pendingError(ErrClosed)
		}
	}
}

// pendingError says how the flow stands for a caller that stops waiting.
func (r *run) pendingError(cause error) *PendingError {
	r.mu.Look()
	defer r.mu.Unlock()
	e := &PendingError{Flow: r.id, Next: r.state.Next, Held: r.calls.delay.String(), Cause: cause}
	if r.calls.last != nil {
		e.Last = &AnswerError{Answer: *r.calls.last, Err: r.calls.lastErr}
	}
	return e
}
