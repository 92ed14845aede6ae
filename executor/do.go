package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Request is a payment that is wanted.
type Request struct {
	// Payment: what, at which provider, for whom. Key is the purchase, payout or refund that
	// is meant: under one key at most one execution is made, however often it is asked for.
	// Without a key nothing is told apart.
	policy.Payment

	OrderID    string // the merchant's name for it at the provider; needed
	RequestID  string // of the first request; empty, or used by an earlier flow of the key: a new one
	ProviderID string // the provider's name for what a capture, cancel or refund works on

	// Data is what the client needs besides to make the same request again, in this process
	// or the next: it is handed to it in every [Attempt], and stands in the journal as it is.
	// Leave secrets and card numbers out.
	Data []byte
}

// Do carries a payment to its end: succeeded, failed, or escalated. An error says that there
// is no end, or that nothing was sent at all; [PendingError] is the former.
//
// ctx bounds the wait, and what is sent: when it is over, or would be before there is
// anything to do, Do returns, nothing more is sent, and the flow goes on in the background
// to find out what became of what was sent; if nothing is in doubt it ends at once, and Do
// returns the result beside a [*WithdrawnError]. The same holds if the process dies: the next
// one finds out, and sends nothing. To wait for so long and no longer, but have the
// payment carried on with retries and all, [Executor.Start] it and wait by [Handle.Wait].
//
// A payment key that has an open flow joins it. One whose earlier flow succeeded gets that
// flow's result, with Repeated set; one whose earlier flow may have moved money is a
// [*DoubtError]; one that was used for something else a [*MismatchError].
func (x *Executor) Do(ctx context.Context, q Request, c Client) (*Result, error) {
	for {
		r, joined, err := x.admit(ctx, q, c, false)
		if err != nil {
			return nil, err
		}
		if !joined {
			return x.driveDo(ctx, r)
		}
		result, err := r.waitOrLeave(ctx)
		if !abandonedByCaller(err) || ctx.Err() != nil {
			return result, err
		}
	}
}

// lead carries out a flow for the one who asked first.
func (x *Executor) driveDo(ctx context.Context, r *run) (*Result, error) {
	defer x.active.Done()
	driven := false
	defer func() {
		if !driven { // somebody's code ended this goroutine
			x.background(r)
		}
	}()
	err := r.plan.first.drive()
	driven = true
	return r.finishDo(ctx, err)
}

// leave is the end of Do: with the flow's, or without.
func (r *run) finishDo(ctx context.Context, err error) (*Result, error) {
	r.mu.Lock()
	result, begun := r.resultLocked(), r.begun()
	after := r.retention()
	r.mu.Unlock()
	switch {
	case result != nil:
		r.x.evictWith(r, after)
		return result, nil
	case !begun: // nothing was sent, and nothing written
		if errors.Is(err, errRefusing) && !errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(context.DeadlineExceeded, err) // it would be, before it can be sent
		}
		r.releasePermit()
		r.rememberRefused(err)
		r.abandon(err)
		return nil, err
	case errors.Is(err, ErrTakenOver):
		r.x.evict(r)
		return nil, r.pendingError(err)
	case errors.Is(err, errReplaced):
		return r.waitOrLeave(ctx)
	case errors.Is(err, ErrClosed):
		return nil, r.pendingError(err)
	}
	cause := ctx.Err()
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	r.x.reportError(errors.Join(r.unsent(), r.callerLeft(cause)))
	return r.returnPending(cause)
}

// stay waits for a flow that others drive.
func (r *run) waitOrLeave(ctx context.Context) (*Result, error) {
	result, err := r.wait(ctx)
	if result != nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return result, err
	}
	real := r.current()
	real.x.reportError(real.callerLeft(ctx.Err()))
	return nil, err
}

// goodbye takes leave of a caller of Do. With the last one, sending ends.
func (r *run) callerLeft(cause error) error {
	if !r.removeCaller() {
		return nil
	}
	return r.withdraw(cause.Error())
}

// farewell is what the one who drove a flow is told when he has no more time: it goes on in
// the background, unless it had nothing in doubt, and has ended with him.
func (r *run) returnPending(cause error) (*Result, error) {
	r.mu.Lock()
	result := r.resultLocked()
	r.mu.Unlock()
	pending := r.pendingError(cause)
	if result == nil {
		r.x.background(r)
		return nil, pending
	}
	r.releasePermit()
	r.deliverNotices()
	r.x.evict(r)
	return result, &WithdrawnError{Flow: r.id, Last: pending.Last, Cause: cause}
}

// leftAlone reports whether a flow that somebody joined was never begun, for want of time of
// the one who asked first.
func abandonedByCaller(err error) bool {
	var gone *notBegunError
	return errors.As(err, &gone) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// withdraw sends nothing more. What the journal does not take is brought again by the driver.
func (r *run) withdraw(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applyOrQueue(flow.Withdrawn{Moment: r.x.moment(), Why: why})
}

// unsent says of a send that was written down, and will not be made, that it was not.
func (r *run) unsent() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.plan.next.(flow.Send); ok && r.calls.current == nil && r.state.Stage == flow.Sending && len(r.row.queued) == 0 {
		e := flow.Answered{Moment: r.x.moment(), Answer: policy.Answer{Fault: policy.NotSent}, Attempt: c.Attempt}
		r.calls.last, r.calls.lastErr = &e.Answer, ErrNotSent
		return r.applyOrQueue(e)
	}
	return nil
}

// admit checks a request and finds the flow that it is: that of its key, or a new one, which
// counts as active until the caller says that it is done.
func (x *Executor) admit(ctx context.Context, q Request, c Client, start bool) (r *run, joined bool, err error) {
	r = x.newRun(q)
	if err := r.check(ctx, c); err != nil {
		return nil, false, err
	}
	r.client, r.waiters.background, r.row.bound = c, start, !start && ctx.Done() != nil
	r.id, r.nextRequestID = x.newIDs()
	r.state.Payment = q.Payment
	r.guard = x.guards.of(&r.req.Payment)
	r.waiters.add(&r.waiters)
	if !start {
		r.setDriver(ctx)
	}
	live, err := x.register(r)
	if err != nil {
		return nil, false, err
	}
	if live != nil {
		return live, true, live.join(r)
	}
	earlier, err := x.earlier(ctx, r)
	switch {
	case err != nil:
		r.abandon(err)
		x.active.Done()
		return nil, false, err
	case earlier != nil:
		x.active.Done()
		r.abandon(&movedError{earlier})
		return earlier, true, nil
	}
	return r, false, nil
}

// check says what is wrong with a request, and finds who decides about it.
func (r *run) check(ctx context.Context, c Client) error {
	q := &r.req
	if err := ctx.Err(); err != nil {
		return err
	}
	var errs []error
	if c == nil {
		errs = append(errs, errors.New("executor: there is no client"))
	}
	if q.OrderID == "" {
		errs = append(errs, errors.New("executor: the request has no order id"))
	}
	if q.Amount < 0 {
		errs = append(errs, fmt.Errorf("executor: the amount %d is below zero", q.Amount))
	}
	if int(q.Operation) >= operations {
		errs = append(errs, fmt.Errorf("executor: there is no operation %d", q.Operation))
	} else {
		var err error
		if r.rules, err = r.x.rules.For(&r.req.Payment); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// vanish takes a flow out of memory that does not begin, or does not go on, and tells those
// who joined it.
func (r *run) abandon(why error) {
	if !isMoved(why) {
		why = &notBegunError{why}
	}
	r.mu.Lock()
	r.waiters.err = why
	r.waiters.broadcast()
	r.mu.Unlock()
	r.x.evict(r)
}

// join waits with the one who asked first.
func (r *run) join(other *run) error {
	if err := r.same(other); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiters.add(&other.waiters)
	if !r.row.bound || other.row.bound {
		return nil
	}
	r.row.bound = false // it is wanted whatever becomes of the one who asked first
	if r.row.version == 0 {
		return nil
	}
	if err := r.put(r.notices.list, journal.Synced); err != nil {
		r.row.bound = true
		if !other.waiters.background {
			r.waiters.callers--
		}
		return err
	}
	return nil
}

// same checks that two requests of a key mean the same payment, whatever their identifiers
// and tags.
func (r *run) same(other *run) error {
	a, b := &r.req, &other.req
	if a.Provider != b.Provider || a.Amount != b.Amount || a.Currency != b.Currency || a.Capture != b.Capture ||
		a.ProviderID != b.ProviderID || !bytes.Equal(a.Data, b.Data) {
		return &MismatchError{Flow: r.id, Key: r.req.Key}
	}
	return nil
}
