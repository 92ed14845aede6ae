package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Request is a payment to be made.
type Request struct {
	// Payment: what, at which provider, for whom. Key is the purchase, payout or refund that
	// is meant: under one key at most one execution is made, however often it is asked for.
	// Requests without a key are never joined.
	policy.Payment

	OrderID    string // the merchant's name for it at the provider; needed
	RequestID  string // of the first request; empty, or used by an earlier flow of the key: a new one
	ProviderID string // the provider's name for what a capture, cancel or refund works on

	// NotAfter: nothing is sent from then on, neither a retry nor the first request. What is in doubt
	// by then is found out. Zero: the rules' max_elapsed bounds it alone, counted from when the
	// payment is accepted. Of several requests of a key the first one's holds.
	NotAfter time.Time

	// Distinct are flows that a [*DuplicateError] named and that are other payments nevertheless, as the
	// shopper has confirmed.
	Distinct []string

	// Data is what the client needs besides to make the same request again, in this process
	// or the next: it is handed to it in every [Attempt], and stands in the journal as it is.
	// Leave secrets and card numbers out.
	Data []byte
}

// Do makes a payment and returns how it ended: succeeded, failed, or escalated. The error is a
// [*PendingError] if the flow has no outcome yet. Any other error without a result says that
// nothing was sent.
//
// ctx bounds the wait and the sends. Do returns when ctx is over, or when the next wait would
// end after its deadline. Nothing more is sent then. If a request is in doubt, the flow goes on
// in the background and queries. If none is, the flow ends at once, and Do returns the result
// beside a [*WithdrawnError]. If the process dies, the next one queries and sends nothing. To
// bound only the wait, use [Executor.Start] and [Handle.Wait].
//
// If the payment key has an open flow, Do joins it: what that comes to is the result, also if it fails. If an earlier flow of the key succeeded, Do
// returns its result with Repeated set. If an earlier flow may have moved money, the error is a
// [*DoubtError]; if the key was used for another payment, a [*MismatchError].
//
// Where ctx can end, Do returns then, though the client, a hook or the journal stalls: it does not wait
// for them longer than a tenth of a second. Without a deadline it waits as long as they do.
func (x *Executor) Do(ctx context.Context, q Request, c Client) (*Result, error) {
	q.clone()
	if ctx.Done() == nil {
		return (*doing)(nil).do(ctx, x, q, c)
	}
	return x.doBounded(ctx, q, c)
}

func (x *Executor) doBounded(ctx context.Context, q Request, c Client) (*Result, error) {
	d := new(doing)
	result, err := bounded(ctx, x, func() (*Result, error) {
		result, err := d.do(ctx, x, q, c)
		d.end()
		return result, err
	}, d.leave)
	if r := d.broken(); r != nil { // the client ended that goroutine; the flow goes on in another
		return d.waitOrLeave(ctx, r)
	}
	return result, err
}

// doing is one call of Do or Start. Its caller may leave before its goroutine has ended. Nil: the caller
// waits as long as it takes.
type doing struct {
	mu   sync.Mutex
	r    *run // the flow, once it is known
	gone bool // the caller has left
	away bool // the flow does not count the caller any more, or need not
	over bool // the goroutine has returned
}

// is notes the flow, and reports whether the caller still waits.
func (d *doing) is(r *run) (waits bool) {
	if d == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r = r
	return !d.gone
}

// end notes that the goroutine returns.
func (d *doing) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over, d.away = true, true
}

// broken is the flow, if the goroutine ended before it could return; else nil.
func (d *doing) broken() *run {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.gone {
		return nil
	}
	return d.r
}

// leave makes the result for a caller that waits no longer. The last one of a flow stops its sends.
func (d *doing) leave(why error) (*Result, error) {
	d.mu.Lock()
	r, away := d.r, d.away
	d.gone, d.away = true, away || r != nil
	d.mu.Unlock()
	if r == nil { // nothing is sent after ctx
		return noResult[*Result](why)
	}
	r = r.current()
	if !away && !errors.Is(why, ErrClosed) {
		go func() { r.x.reportError(r.callerLeft(why)) }()
	}
	return nil, r.pendingError(why)
}

// callerLeft is that of the flow, unless the caller has been taken away before.
func (d *doing) callerLeft(r *run, cause error) error {
	if d == nil {
		return r.callerLeft(cause)
	}
	d.mu.Lock()
	away := d.away
	d.away = true
	d.mu.Unlock()
	if away {
		return nil
	}
	return r.callerLeft(cause)
}

func (d *doing) do(ctx context.Context, x *Executor, q Request, c Client) (*Result, error) {
	met := ""
	for {
		r, joined, err := x.admit(ctx, q, c, false, met)
		if err != nil {
			return nil, err
		}
		d.is(r)
		if !joined {
			result, err := d.drive(ctx, r)
			if x.openElsewhere(ctx, err) {
				met = flowMet(err, met)
				continue
			}
			return result, err
		}
		result, err := d.waitOrLeave(ctx, r)
		if x.held(ctx, err) {
			met = flowMet(err, met)
			continue
		}
		if !abandonedByCaller(err) || ctx.Err() != nil {
			return result, err
		}
	}
}

// drive drives a new flow for its first caller.
func (d *doing) drive(ctx context.Context, r *run) (*Result, error) {
	defer r.x.active.Done()
	driven := false
	defer func() {
		if !driven { // a client called runtime.Goexit
			r.x.background(r)
		}
	}()
	err := r.plan.first.drive()
	driven = true
	return d.finish(ctx, r, err)
}

// finish makes the result of Do when its driver has stopped, for whatever reason.
func (d *doing) finish(ctx context.Context, r *run, err error) (*Result, error) {
	if isServed(err) {
		return nil, r.makeWay(err)
	}
	r.mu.Look()
	result, begun, inLine := r.resultLocked(), r.begun(), r.calls.place != nil
	after := r.retention()
	r.mu.Unlock()
	switch {
	case result != nil:
		r.x.evictWith(r, after)
		return result, nil
	case !begun: // nothing was sent or written
		if inLine {
			err = errors.Join(err, errInLine)
		}
		if errors.Is(err, errRefusing) && !errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(context.DeadlineExceeded, err) // the context would end before the breaker lets a call through
		}
		r.releasePermit()
		r.rememberRefused(err)
		r.abandon(err)
		return nil, err
	case errors.Is(err, ErrTakenOver):
		r.x.evict(r)
		return nil, r.pendingError(err)
	case errors.Is(err, errReplaced):
		return d.waitOrLeave(ctx, r)
	case errors.Is(err, ErrClosed):
		return nil, r.pendingError(err)
	}
	cause := ctx.Err()
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	r.x.reportError(errors.Join(r.unsent(), d.callerLeft(r, cause)))
	return r.returnPending(cause)
}

// waitOrLeave waits for a flow that another goroutine drives, as long as ctx allows.
func (d *doing) waitOrLeave(ctx context.Context, r *run) (*Result, error) {
	result, err := r.wait(ctx)
	if result != nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return result, err
	}
	flow := r.current()
	flow.x.reportError(d.callerLeft(flow, ctx.Err()))
	return nil, err
}

// callerLeft notes that a caller of Do stopped waiting. With the last one, sending ends.
func (r *run) callerLeft(cause error) error {
	if r.elsewhere || !r.removeCaller() {
		return nil
	}
	return r.withdraw(cause.Error())
}

// returnPending makes the result of Do when its context is over. The flow goes on in the
// background, unless the withdrawal has ended it: then nothing was in doubt.
func (r *run) returnPending(cause error) (*Result, error) {
	r.mu.Look()
	result := r.resultLocked()
	r.mu.Unlock()
	pending := r.pendingError(cause)
	if result == nil {
		r.x.background(r)
		return nil, pending
	}
	r.releasePermit()
	r.deliverNotices(true)
	r.x.evict(r)
	return result, &WithdrawnError{Flow: r.id, Last: pending.Last, Cause: cause}
}

// abandonedByCaller reports whether a joined flow never began because the context of its first
// caller was over. A joiner with more time then begins a flow of its own.
func abandonedByCaller(err error) bool {
	var gone *notBegunError
	return errors.As(err, &gone) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// withdraw stops sending. If the journal fails, the driver applies it again.
func (r *run) withdraw(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applyOrQueue(flow.Withdrawn{Moment: r.x.moment(), Why: why})
}

// unsent answers a send that was written and will not be made: it is certain that it was not
// sent.
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

// clone makes a request the executor's own: the caller may reuse its buffer and its map while the flow
// still retries.
func (q *Request) clone() {
	q.Data, q.Tags, q.Distinct = bytes.Clone(q.Data), maps.Clone(q.Tags), slices.Clone(q.Distinct)
}

// admit checks a request and returns its flow: the one that has the payment key, or a new one.
// A new one counts as active until the caller calls x.active.Done. A payment that is like another
// may wait for that. met is the flow of the key that the request has met already; empty: none.
func (x *Executor) admit(ctx context.Context, q Request, c Client, start bool, met string) (r *run, joined bool, err error) {
	for {
		r, joined, err = x.admitOnce(ctx, q, c, start, met)
		if err == nil || !x.held(ctx, err) {
			return r, joined, err
		}
		met = flowMet(err, met)
	}
}

func (x *Executor) admitOnce(ctx context.Context, q Request, c Client, start bool, met string) (r *run, joined bool, err error) {
	quick := !start && x.cfg.Journal == nil
	r = x.newRun(q, quick)
	refused, err := r.check(ctx, c)
	if err != nil {
		return nil, false, err
	}
	r.client, r.waiters.background, r.row.bound = c, start, !start && ctx.Done() != nil
	if quick {
		r.id, r.nextRequestID = x.newQuickIDs()
	} else {
		r.id, r.nextRequestID = x.newIDs()
	}
	r.state.Payment, r.state.Started, r.state.NotAfter = q.Payment, x.clock.now(), q.NotAfter
	r.waiters.add(&r.waiters)
	if refused != nil {
		live, err := x.standing(ctx, r, refused, met)
		return live, err == nil, err
	}
	r.guard, r.alike = x.guards.of(&r.req.Payment), x.like(&r.req, r.state.Started)
	if !start {
		r.setDriver(ctx)
	}
	// The flow is registered before the journal is read: a second request of the key joins it
	// meanwhile, and cannot begin a flow of its own.
	live, err := x.register(r)
	if err != nil {
		return nil, false, err
	}
	if live != nil {
		return live, true, live.join(r)
	}
	decided := false
	defer func() {
		if !decided { // the journal ended this goroutine
			r.abandon(errors.New("executor: the journal ended the goroutine of a request"))
			x.active.Done()
		}
	}()
	earlier, err := x.compare(ctx, r, met)
	if err == nil && earlier == nil {
		err = r.inTime()
	}
	decided = true
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

// compare compares a new flow with those in the journal. It returns the one that the request means, if there
// is one, or an error if there is one that forbids it.
func (x *Executor) compare(ctx context.Context, r *run, met string) (earlier *run, err error) {
	isNew, err := x.isNew(ctx, r)
	if isNew {
		r.setEarlier(nil)
	} else if err == nil {
		earlier, err = x.earlier(ctx, r, met)
		if err == nil && earlier == nil {
			err = x.orderFree(ctx, r)
		}
	}
	if err == nil && earlier == nil {
		err = x.alikeFree(ctx, r)
	}
	return earlier, err
}

// check validates a request, and finds the decider of its payment. refused is the error of rules that take no such payment.
func (r *run) check(ctx context.Context, c Client) (refused, err error) {
	q := &r.req
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var errs []error
	if c == nil {
		errs = append(errs, errors.New("executor: the client must not be nil"))
	}
	if q.OrderID == "" {
		errs = append(errs, errors.New("executor: Request.OrderID must not be empty"))
	}
	if err := q.checkMoney(); err != nil {
		errs = append(errs, err)
	}
	if int(q.Operation) >= operations {
		errs = append(errs, fmt.Errorf("executor: Request.Operation is %d; it must be an operation of package policy", q.Operation))
	} else {
		r.rules.Decider, refused = r.x.rules.For(&r.req.Payment)
	}
	if len(errs) > 0 { // all mistakes at once
		return nil, errors.Join(append(errs, refused)...)
	}
	return refused, nil
}

// inTime refuses a new payment of which nothing may be sent any more. A request that is repeated after its NotAfter
// joins its flow: an error would say that nothing was sent.
func (r *run) inTime() error {
	if limit := r.req.NotAfter; !limit.IsZero() && !r.x.clock.stamp().Before(limit) {
		return fmt.Errorf("executor: Request.NotAfter is %s; it must not have passed", limit.Format(time.RFC3339Nano))
	}
	return nil
}

// checkMoney checks amount and currency before anything is sent: a mistake in them would be found when
// the answer is compared, and by then the money has moved.
func (q *Request) checkMoney() error {
	var errs []error
	moves := q.Operation == policy.Pay || q.Operation == policy.Checkout || q.Operation == policy.Payout
	switch {
	case q.Amount < 0:
		errs = append(errs, fmt.Errorf("executor: Request.Amount is %d; it must not be negative", q.Amount))
	case q.Amount == 0 && moves:
		errs = append(errs, fmt.Errorf("executor: Request.Amount is 0; a %s must have an amount, in minor units of its currency", q.Operation))
	}
	if _, known := policy.Decimals(q.Currency); q.Currency != "" && (!known || q.Currency != strings.ToUpper(q.Currency)) {
		errs = append(errs, fmt.Errorf("executor: Request.Currency is %q; it must be an ISO 4217 code in capital letters, such as VND", q.Currency))
	}
	return errors.Join(errs...)
}

// abandon evicts a flow that does not begin, or that this process cannot continue. Those who
// joined it get the reason.
func (r *run) abandon(why error) {
	if !isMoved(why) {
		why = &notBegunError{why}
	}
	r.mu.Look()
	r.waiters.err = why
	r.waiters.broadcast()
	r.mu.Unlock()
	r.x.evict(r)
}

// join adds the caller of another request to a flow.
func (r *run) join(other *run) error {
	if err := r.same(other); err != nil {
		return err
	}
	if r.elsewhere {
		return r.joinElsewhere(other)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiters.add(&other.waiters)
	if !r.row.bound || other.row.bound {
		return nil
	}
	r.row.bound = false // the new caller wants the payment whether the first one waits or not
	if r.row.version == 0 {
		return nil
	}
	// The next process must know it too: it would withdraw a flow that is bound.
	if err := r.put(&r.state, r.notices.list, journal.Synced); err != nil {
		r.row.bound = true
		if !other.waiters.background {
			r.waiters.callers--
		}
		return err
	}
	return nil
}

// sameData compares the data of two requests, or its digest where one is left of it.
func (r *run) sameData(other *run) bool {
	if len(r.dataDigest)+len(other.dataDigest) > 0 {
		return bytes.Equal(r.digest(), other.digest())
	}
	return bytes.Equal(r.req.Data, other.req.Data)
}

// same checks that two requests of a key mean the same payment. Identifiers and tags may differ.
func (r *run) same(other *run) error {
	a, b := &r.req, &other.req
	if a.Provider != b.Provider || a.Amount != b.Amount || a.Currency != b.Currency || a.Capture != b.Capture ||
		a.ProviderID != b.ProviderID || !r.sameData(other) {
		return &MismatchError{Flow: r.id, Key: r.req.Key}
	}
	return nil
}
