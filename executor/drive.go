package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// plan is what a flow does next, and which goroutine does it. The flow's lock guards it.
type plan struct {
	next   flow.Command  // Send, Ask, Wait or Finish; nil: the first step is not taken
	seq    uint32        // changes with next
	offset time.Duration // of the wall clock, when next was set
	driver *driver       // drives the flow, or did last
	first  driver
}

// set makes a command the next one.
func (p *plan) set(c flow.Command) {
	p.next = c
	p.seq++
}

// wake ends the driver's sleep. The lock is held.
func (p *plan) wake() {
	d := p.driver
	if d == nil {
		return
	}
	d.woken = true
	if d.sleep != nil {
		d.sleep.wake()
	}
	p.unpark(d)
}

// driver is one goroutine that drives a flow, and the back-off of its loop. Its own goroutine
// uses it. The flow's lock guards sleep, woken and parked.
type driver struct {
	r      *run
	ctx    context.Context
	sleep  *sleeper  // of a caller's goroutine; nil: it has not waited yet
	until  time.Time // of the next wait
	at     int64     // when it is woken, if it is parked; alarms has its lock
	slot   int32     // and its place in the heap, from 1; 0: it is not there
	tries  int16     // failed writes in a row
	woken  bool      // an event came since the last step began
	parked bool      // it has no goroutine until its wait is over, or until an event comes
}

// newDriver makes the calling goroutine the driver.
func (r *run) newDriver(ctx context.Context) *driver {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setDriver(ctx)
}

// setDriver makes the calling goroutine the driver. The lock is held, or the flow is not
// registered yet.
func (r *run) setDriver(ctx context.Context) *driver {
	d := &r.plan.first
	if old := r.plan.driver; old != nil { // the goroutine of an earlier driver may still read its own
		d = new(driver)
		old.parked = false
		r.x.reminders.alarms.remove(old)
	}
	d.r, d.ctx = r, ctx
	r.plan.driver = d
	return d
}

// drive continues a flow until it has ended (nil), until its context is over, or until the next wait
// would end after that. In the background it is parked when the flow waits (errParked). Else the loop is
// backoff's, and the flow decides how long it waits. The first round is outside the loop: a flow that ends
// without a wait then needs no timer and no allocation.
func (d *driver) drive() error {
	r := d.r
	for {
		_, err := d.stepUntilWait()
		if err == nil { // most flows end without a wait
			return nil
		}
		if permanent := (*backoff.PermanentError)(nil); errors.As(err, &permanent) {
			return permanent.Err
		}
		if d.ctx != r.x.life {
			break
		}
		if d.park() {
			return errParked
		}
	}
	sleep := new(sleeper)
	r.mu.Lock() // events wake the sleep from now on
	d.sleep = sleep
	r.mu.Unlock()
	_, err := backoff.RetryNotifyWithTimerAndData(d.stepUntilWait, d, nil, sleep)
	return err
}

// Context implements [backoff.BackOffContext].
func (d *driver) Context() context.Context { return d.ctx }

// Reset does nothing: the flow's state says where it is.
func (d *driver) Reset() {}

// NextBackOff is what is left of the flow's wait. It stops if the context's deadline comes
// first: the caller gets its error at once. A flow that waits in line may be woken before.
func (d *driver) NextBackOff() time.Duration {
	left := d.until.Sub(d.r.x.clock.now())
	if at, ok := d.ctx.Deadline(); ok && time.Until(at) < left {
		if !d.r.inLine() {
			return backoff.Stop
		}
		left = time.Until(at)
	}
	return max(0, left)
}

var (
	errWaiting  = errors.New("the flow waits")
	errParked   = errors.New("the flow waits without a goroutine")
	errRefusing = errors.New("executor: the provider refuses all calls; nothing was sent")
	errInLine   = errors.New("executor: as many calls as Config.AtOnce allows are under way; nothing was sent")
	errQueued   = errors.New("executor: the event is queued until the journal accepts writes again")
	errReplaced = errors.New("executor: another goroutine drives the flow; a call of this one has not returned in time")
)

// stepUntilWait takes steps until the flow has ended (nil) or waits. An error that is not
// permanent makes backoff's loop wait and call it again.
func (d *driver) stepUntilWait() (none struct{}, err error) {
	for ended := false; !ended && err == nil; {
		ended, err = d.step()
	}
	d.r.observers.settle()
	return none, err
}

// step carries out the next command.
func (d *driver) step() (ended bool, err error) {
	r := d.r
	over := d.ctx.Err() // before the lock: a context may be the caller's code
	r.mu.Lock()
	d.woken = false
	if err := d.stopped(over); err != nil {
		r.mu.Unlock()
		return false, err
	}
	if len(r.row.queued) > 0 {
		r.mu.Unlock()
		return false, d.retryQueued()
	}
	switch c := r.plan.next.(type) {
	case nil:
		// The permit is asked for before the write-ahead: a flow that is refused now leaves no row.
		wait, again := r.firstWaitLocked(), r.life == delayed || r.life == accepted
		by := r.calls.delay
		if r.life == admitted && wait > 0 {
			r.life = delayed
		}
		r.mu.Unlock()
		if wait > 0 {
			return false, d.holdFirst(wait, by)
		}
		return false, d.beginFlow(again)
	case flow.Send:
		made := r.newCall(d.ctx, policy.Send, c.Identity, c.Deadline)
		made.attempt.Number, made.attempt.Action = c.Attempt, c.Action
		r.mu.Unlock()
		return d.handleAnswer(r.sendPayment(made), made)
	case flow.Ask:
		seq := r.plan.seq
		r.mu.Unlock()
		return d.query(&c, seq)
	case flow.Wait:
		seq := r.plan.seq
		r.mu.Unlock()
		return false, d.handleDue(&c, seq)
	}
	// The flow has ended. A permit that it still has would keep the breaker's probe from others.
	r.releasePermitLocked()
	r.mu.Unlock()
	r.deliverNotices(true)
	return true, nil
}

// query makes a status query, unless an event came while the hook made an id for it.
func (d *driver) query(c *flow.Ask, seq uint32) (ended bool, err error) {
	r := d.r
	id := r.requestID() // a hook, so without the lock
	r.mu.Lock()
	if r.plan.seq != seq || r.life == lost || r.plan.driver != d {
		r.mu.Unlock()
		return false, nil
	}
	made := r.newCall(d.ctx, policy.Query, c.Identity, c.Deadline)
	made.attempt.Number, made.attempt.By, made.attempt.QueryID = c.Query, c.By, id
	r.mu.Unlock()
	return d.handleAnswer(r.queryStatus(made), made)
}

// stopped says why this driver must stop; nil: it goes on. over is the error of its context.
// The flow's lock is held.
func (d *driver) stopped(over error) error {
	r := d.r
	switch {
	case r.plan.driver != d || r.calls.current != nil:
		// The call of the other driver may have left; the sweeper decides when to give it up.
		return backoff.Permanent(errReplaced)
	case r.life == lost:
		return backoff.Permanent(ErrTakenOver)
	case d.ctx != r.x.life && r.x.life.Err() != nil:
		return backoff.Permanent(ErrClosed)
	case over != nil: // a ready timer and a done context: backoff's loop may take either
		return backoff.Permanent(over)
	}
	return nil
}

// retryQueued applies the events that the journal did not accept before, in order.
func (d *driver) retryQueued() error {
	if err := d.r.applyQueued(); err != nil {
		return d.backOff(err)
	}
	d.tries = 0
	return nil
}

func (r *run) applyQueued() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.row.queued) > 0 && err == nil {
		if err = ignoreMisfit(r.apply(r.row.queued[0])); err == nil {
			r.row.queued = r.row.queued[1:]
		}
	}
	return err
}

// ignoreMisfit drops the error of an event that came too late for its flow.
func ignoreMisfit(err error) error {
	if err == nil {
		return nil
	}
	if misfit := (*flow.MisfitError)(nil); errors.As(err, &misfit) {
		return nil
	}
	return err
}

// applyOrQueue applies an event that must not be lost: an answer, a withdrawal. If the journal
// fails, the driver applies it again. The lock is held.
func (r *run) applyOrQueue(e flow.Event) error {
	if len(r.row.queued) == 0 {
		err := ignoreMisfit(r.apply(e))
		if err == nil || errors.Is(err, ErrTakenOver) {
			return err
		}
		r.row.queued = append(r.row.queued, copyOf(e))
		r.plan.wake()
		return err
	}
	r.row.queued = append(r.row.queued, copyOf(e)) // events keep their order
	return errQueued
}

// copyOf is an event that may be kept. Those that are applied at once need not be on the heap.
func copyOf(e flow.Event) flow.Event {
	switch e := e.(type) {
	case flow.Start:
		return e
	case flow.Answered:
		return e
	case flow.Queried:
		return e
	case flow.Received:
		return e
	case flow.Due:
		return e
	case flow.Resumed:
		return e
	case flow.Resolved:
		return e
	case flow.Withdrawn:
		return e
	}
	return nil
}

// backOff waits until the journal may work again: 0.2 s, then twice as long each time, 10 s at
// most. A flow that another process has written stops instead, because that process drives it.
func (d *driver) backOff(err error) error {
	if errors.Is(err, journal.ErrLost) && !errors.Is(err, ErrTakenOver) { // a read found it
		d.r.mu.Lock()
		d.r.markLost()
		d.r.mu.Unlock()
		err = fmt.Errorf("%w: %w", ErrTakenOver, err)
	}
	if errors.Is(err, ErrTakenOver) {
		d.r.releasePermit()
		return backoff.Permanent(err)
	}
	d.r.x.reportError(err)
	d.r.releasePermit() // other flows may use the probe meanwhile
	d.tries = min(d.tries+1, 100)
	d.until = d.r.x.clock.now().Add(min(100*time.Millisecond<<min(d.tries, 8), 10*time.Second))
	return errWaiting
}

// holdFirst makes the first send wait for the breaker, or for a slot.
func (d *driver) holdFirst(wait time.Duration, by delayCause) error {
	now := d.r.x.clock.now()
	d.until = now.Add(wait)
	d.r.observeHeld(now, by, flow.Wait{Until: d.until, Action: policy.RetryNewRequest}) // as the machine names the first send
	return errRefusing
}

// beginFlow takes the first step. A flow that is in the journal already is not given up when that fails.
func (d *driver) beginFlow(again bool) error {
	r := d.r
	err := r.start(again)
	if err == nil {
		return nil
	}
	if isServed(err) { // the flow is withdrawn
		return backoff.Permanent(err)
	}
	r.mu.Lock()
	written, begun := r.life == accepted || r.row.version > 0, r.plan.next != nil
	r.mu.Unlock()
	switch {
	case begun && ignoreMisfit(err) == nil: // withdrawn meanwhile
		return nil
	case written && ignoreMisfit(err) != nil:
		return d.backOff(err)
	}
	return backoff.Permanent(err)
}

// start takes the first step: the machine decides to send, and that is written. A flow that
// had to wait reads its payment key again, because other flows may have served it meanwhile.
func (r *run) start(waited bool) error {
	if waited {
		flows, err := r.x.flowsOfKey(r.x.life, r)
		if err != nil {
			return err
		}
		r.setEarlier(flows)
	}
	id := r.req.RequestID
	if id == "" {
		id = r.requestID()
	}
	for i := range r.earlier.ledger {
		if r.earlier.ledger[i].RequestID == id {
			r.x.reportError(fmt.Errorf("executor: NewRequestID gave flow %s %q, which an earlier flow of its key has; a random one is used", r.id, id))
			id = newRequestID()
		}
	}
	if err := r.applyStart(id); err != nil {
		return err
	}
	return r.yield()
}

func (r *run) applyStart(requestID string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	start := flow.Start{
		Moment: r.x.clock.moment(), OrderID: r.req.OrderID, RequestID: requestID, ProviderID: r.req.ProviderID, Earlier: r.earlier.ledger,
		Accepted: r.state.Started, NotAfter: r.state.NotAfter,
	}
	return r.apply(start)
}

// handleAnswer applies the answer of a call. Most flows end here.
func (d *driver) handleAnswer(e flow.Event, x *call) (ended bool, err error) {
	if ended, err = d.r.applyAnswer(e, x); err != nil {
		return false, d.backOff(err)
	}
	return ended, nil
}

// applyAnswer reports whether the flow has ended and nothing is left to do: no notice, no write,
// nothing to give back.
func (r *run) applyAnswer(e flow.Event, x *call) (ended bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recordAnswer(x)
	r.calls.class = policy.Unrecognized
	err = r.applyOrQueue(e)
	if r.calls.current == x { // only now: if a hook ended this goroutine before, no other may send
		r.calls.current = nil
	}
	r.settlePermit(x)
	return r.state.Stage == flow.Ended && r.calls.permit == nil && r.calls.charged == 0 && len(r.notices.list)+len(r.row.queued) == 0, err
}
