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
	RequestID  string // of the key's first request; empty: a new one, as every later flow of the key gets
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
// to find out what became of what was sent. To wait for so long and no longer, but have the
// payment carried on with retries and all, [Executor.Start] it and wait by [Handle.Wait].
//
// A payment key that has an open flow joins it. One whose earlier flow succeeded gets that
// flow's result, with Repeated set; one whose earlier flow may have moved money is a
// [*DoubtError]; one that was used for something else a [*MismatchError].
func (x *Executor) Do(ctx context.Context, q Request, c Client) (*Result, error) {
	r, joined, err := x.admit(ctx, q, c, false)
	if err != nil {
		return nil, err
	}
	if joined {
		result, err := r.wait(ctx)
		if stopped := r.real(); ctx.Err() != nil && errors.Is(err, ctx.Err()) && stopped.unwanted() {
			x.trouble(stopped.withdraw(ctx.Err().Error()))
		}
		return result, err
	}
	defer x.active.Done()
	return r.leave(ctx, r.drive(ctx))
}

// leave is the end of Do: with the flow's, or without.
func (r *run) leave(ctx context.Context, err error) (*Result, error) {
	r.mu.Lock()
	result, begun := r.ended(), r.accepted || r.state.Stage != flow.New
	r.mu.Unlock()
	switch {
	case result != nil:
		r.x.forget(r)
		return result, nil
	case !begun: // nothing was sent, and nothing written
		if errors.Is(err, errHeld) && !errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(context.DeadlineExceeded, err) // it would be, before it can be sent
		}
		r.release()
		r.vanish(err)
		return nil, err
	case errors.Is(err, ErrTakenOver):
		r.x.forget(r)
		return nil, r.pending(err)
	case errors.Is(err, errReplaced):
		return r.wait(ctx)
	case errors.Is(err, ErrClosed):
		return nil, r.pending(err)
	}
	cause := ctx.Err()
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	pending := r.pending(cause)
	if r.unwanted() {
		r.x.trouble(errors.Join(r.unsent(), r.withdraw(cause.Error())))
	}
	r.x.background(r)
	return nil, pending
}

// withdraw sends nothing more. What the journal does not take is brought again by the driver.
func (r *run) withdraw(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keep(flow.Withdrawn{Moment: r.x.moment(), Why: why})
}

// unsent says of a send that was written down, and will not be made, that it was not.
func (r *run) unsent() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.next.(flow.Send); ok && r.calling == nil && r.state.Stage == flow.Sending && len(r.kept) == 0 {
		e := &flow.Answered{Moment: r.x.moment(), Answer: policy.Answer{Fault: policy.NotSent}, Attempt: c.Attempt}
		r.last, r.lastErr = &e.Answer, ErrNotSent
		return r.keep(e)
	}
	return nil
}

// Start begins a payment and returns at once: with a journal, when it is written down. It
// goes on whatever becomes of ctx, until it ends or [Handle.Withdraw] is called.
// Of payment keys the same is true as in [Executor.Do].
func (x *Executor) Start(ctx context.Context, q Request, c Client) (*Handle, error) {
	r, joined, err := x.admit(ctx, q, c, true)
	if err != nil {
		return nil, err
	}
	if joined {
		begun := func() bool { return r.accepted || r.state.Stage != flow.New }
		if err := r.await(ctx, begun); err != nil && !moved(err) {
			return nil, err
		}
		return &Handle{r: r}, nil
	}
	defer x.active.Done()
	if err := x.accept(r); err != nil {
		r.release()
		r.vanish(err)
		return nil, err
	}
	x.background(r)
	return &Handle{r: r}, nil
}

// accept writes a flow down. If the provider takes no calls now, it begins later.
func (x *Executor) accept(r *run) error {
	if r.held() == 0 {
		return r.start()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.put(nil, journal.Synced); err != nil {
		return err
	}
	r.accepted = true
	r.broadcast()
	return nil
}

// carry drives a flow in the background.
func (x *Executor) carry(r *run) {
	err := r.drive(x.life)
	r.mu.Lock()
	over := r.state.Stage == flow.Ended || r.lost
	r.mu.Unlock()
	switch {
	case over:
		x.forget(r)
	case err != nil && x.life.Err() == nil && !errors.Is(err, errReplaced):
		x.trouble(fmt.Errorf("executor: flow %s: %w", r.id, err))
	}
}

// admit checks a request and finds the flow that it is: that of its key, or a new one, which
// counts as active until the caller says that it is done.
func (x *Executor) admit(ctx context.Context, q Request, c Client, start bool) (r *run, joined bool, err error) {
	r = &run{x: x, req: q, client: c, started: start}
	if err := x.check(ctx, &r.req, c); err != nil {
		return nil, false, err
	}
	r.id = x.newID()
	r.state = &r.first.result.State
	r.state.Payment = q.Payment
	r.state.Ledger, r.state.Evidence, r.trace = r.first.ledger[:0], r.first.told[:0], r.first.trace[:0]
	r.rules = x.rules.For(&r.req.Payment)
	r.guard = x.guards.of(&r.req.Payment)
	live, err := x.register(r)
	if err != nil {
		return nil, false, err
	}
	if live != nil {
		return live, true, live.join(r)
	}
	r.mu.Lock()
	r.want(r)
	r.mu.Unlock()
	earlier, err := x.earlier(ctx, r)
	switch {
	case err != nil:
		r.vanish(err)
		x.active.Done()
		return nil, false, err
	case earlier != nil:
		x.active.Done()
		r.vanish(&movedError{earlier})
		return earlier, true, nil
	}
	return r, false, nil
}

func (x *Executor) check(ctx context.Context, q *Request, c Client) error {
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
	if err := x.rules.Check(&q.Payment); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// vanish takes a flow back that never began, and tells those who joined it.
func (r *run) vanish(why error) {
	r.mu.Lock()
	r.gone = why
	r.broadcast()
	r.mu.Unlock()
	r.x.forget(r)
}

// join waits with the one who asked first.
func (r *run) join(other *run) error {
	if err := r.same(other); err != nil {
		return err
	}
	r.mu.Lock()
	r.want(other)
	r.mu.Unlock()
	return nil
}

// want counts who wants the flow. The lock is held.
func (r *run) want(asked *run) {
	if asked.started {
		r.started = true
	} else {
		r.waiting++
	}
}

// unwanted takes leave of a caller of Do, and reports whether nobody is left.
func (r *run) unwanted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting--
	return r.waiting <= 0 && !r.started
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

// earlier looks at the flows that the key had before. The one that succeeded, or is open,
// is the one.
func (x *Executor) earlier(ctx context.Context, r *run) (*run, error) {
	if x.cfg.Journal == nil || r.req.Key == "" {
		return nil, nil
	}
	rows, err := x.cfg.Journal.ByKey(ctx, r.key())
	if err != nil {
		return nil, err
	}
	for i := range rows {
		old, err := x.read(&rows[i])
		if err != nil {
			return nil, err
		}
		switch {
		case rows[i].Open:
			if err := old.same(r); err != nil {
				return nil, err
			}
			live, err := x.adopt(old, r.client)
			if err == nil {
				err = live.join(r)
			}
			return live, err
		case old.spent():
			r.earlier = old.state.Ledger // which holds those of the flows before it
		case old.state.Outcome == policy.Succeeded:
			if err := old.same(r); err != nil {
				return nil, err
			}
			old.repeats = true
			return old, nil
		default:
			return nil, &DoubtError{Flow: old.id, Key: r.req.Key, State: *old.state}
		}
	}
	for i := range r.earlier {
		if r.earlier[i].RequestID == r.req.RequestID {
			r.req.RequestID = "" // what is said of the one could be taken for the other
		}
	}
	return nil, nil
}

// spent reports whether a flow that has ended is known to have moved nothing.
func (r *run) spent() bool {
	for i := range r.state.Ledger {
		if id := &r.state.Ledger[i]; id.Sends > 0 && (id.Effect != policy.NotExecuted || id.Contested) {
			return false
		}
	}
	return true
}

// unpaid looks again whether a payment key is unpaid, before another order of it is made.
func (x *Executor) unpaid(r *run) error {
	if x.cfg.Journal == nil || r.req.Key == "" {
		return nil
	}
	rows, err := x.cfg.Journal.ByKey(x.life, r.key())
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].ID == r.id {
			continue
		}
		old, err := x.read(&rows[i])
		if err != nil {
			return err
		}
		if !old.spent() {
			return &DoubtError{Flow: old.id, Key: r.req.Key, State: *old.state}
		}
	}
	return nil
}
