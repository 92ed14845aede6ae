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

// drive carries a flow on: to its end (nil), or until ctx is over, or would be before there
// is anything to do. It is backoff's loop; what it waits by is what the flow decided.
func (r *run) drive(ctx context.Context) error {
	r.mu.Lock()
	p := r.setDriver(ctx)
	r.mu.Unlock()
	return p.drive()
}

// take makes the caller the flow's driver. The lock is held, or nobody else has the flow yet.
func (r *run) setDriver(ctx context.Context) *driver {
	p := &r.firstDriver
	if r.driver != nil { // which may still be looking at its own
		p = new(driver)
	}
	p.r, p.ctx = r, ctx
	r.driver = p
	return p
}

func (p *driver) drive() error {
	r := p.r
	_, err := p.stepUntilWait()
	if err == nil { // most flows end without a wait
		return nil
	}
	if permanent := (*backoff.PermanentError)(nil); errors.As(err, &permanent) {
		return permanent.Err
	}
	sleep := new(sleeper)
	r.mu.Lock()
	p.sleep = sleep
	r.mu.Unlock()
	_, err = backoff.RetryNotifyWithTimerAndData(p.stepUntilWait, p, nil, sleep)
	return err
}

// pace is a driver's place in a flow, and the back-off of its loop.
type driver struct {
	r     *run
	ctx   context.Context
	sleep *sleeper  // nil: it never waited
	until time.Time // when there is something to do
	tries int       // of what the journal would not take
}

// Context implements [backoff.BackOffContext].
func (p *driver) Context() context.Context { return p.ctx }

// Reset does nothing: the flow knows where it is.
func (p *driver) Reset() {}

// NextBackOff is what is left of the flow's wait. It stops rather than sleep past the
// deadline of the context.
func (p *driver) NextBackOff() time.Duration {
	if at, ok := p.ctx.Deadline(); ok && at.Before(p.until) {
		return backoff.Stop
	}
	return max(0, p.until.Sub(wallClock()))
}

// errWaiting: there is nothing to do yet.
var errWaiting = errors.New("the flow waits")

// errHeld: nothing is sent now.
var errRefusing = errors.New("executor: the provider refuses everything; nothing was sent")

// errBehind: the journal takes nothing just now.
var errQueued = errors.New("executor: not written yet; it will be, after what the journal does not take just now")

// errReplaced: another goroutine drives the flow, or made a call that has not returned.
var errReplaced = errors.New("executor: the call returned after its flow had gone on")

// proceed does what there is to do, until the flow has ended (nil) or waits.
func (p *driver) stepUntilWait() (none struct{}, err error) {
	for ended := false; !ended && err == nil; {
		ended, err = p.step()
	}
	return none, err
}

// step does one thing.
func (p *driver) step() (ended bool, err error) {
	r := p.r
	over := p.ctx.Err() // a caller's code, so without the lock
	r.mu.Lock()
	if err := p.stopped(over); err != nil {
		r.mu.Unlock()
		return false, err
	}
	if len(r.kept) > 0 {
		r.mu.Unlock()
		return false, p.retryQueued()
	}
	switch c := r.next.(type) {
	case nil:
		wait, again := r.breakerWaitLocked(), r.waited || r.accepted
		r.waited = r.waited || wait > 0
		r.mu.Unlock()
		return false, p.beginFlow(wait, again)
	case flow.Send:
		x := r.newCall(p.ctx, policy.Send, c.Identity, c.Deadline)
		x.attempt.Number, x.attempt.Action = c.Attempt, c.Action
		r.mu.Unlock()
		return p.handleAnswer(r.sendPayment(x), x)
	case flow.Ask:
		seq := r.seq
		r.mu.Unlock()
		id := r.requestID() // somebody's code, and nothing is under way yet
		r.mu.Lock()
		if r.seq != seq || r.lost || r.driver != p {
			r.mu.Unlock()
			return false, nil // something has come meanwhile: look again
		}
		x := r.newCall(p.ctx, policy.Query, c.Identity, c.Deadline)
		x.attempt.Number, x.attempt.By, x.attempt.QueryID = c.Query, c.By, id
		r.mu.Unlock()
		return p.handleAnswer(r.queryStatus(x), x)
	case flow.Wait:
		seq := r.seq
		r.mu.Unlock()
		return false, p.handleDue(&c, seq)
	}
	r.releasePermitLocked()
	r.mu.Unlock()
	r.deliverNotices()
	return true, nil
}

// stopped says why this driver does nothing more; nil: it goes on. over is the error of its
// context. The flow's lock is held.
func (p *driver) stopped(over error) error {
	r := p.r
	switch {
	case r.driver != p || r.calling != nil:
		// The call of a driver that is gone may have left; what became of it the sweeper decides.
		return backoff.Permanent(errReplaced)
	case r.lost:
		return backoff.Permanent(ErrTakenOver)
	case p.ctx != r.x.life && r.x.life.Err() != nil:
		return backoff.Permanent(ErrClosed)
	case over != nil: // a ready timer and a done context: backoff's loop may take either
		return backoff.Permanent(over)
	}
	return nil
}

// retry brings once more what the journal did not take.
func (p *driver) retryQueued() error {
	r := p.r
	r.mu.Lock()
	var err error
	for len(r.kept) > 0 && err == nil {
		if err = ignoreMisfit(r.apply(r.kept[0])); err == nil {
			r.kept = r.kept[1:]
		}
	}
	r.mu.Unlock()
	if err != nil {
		return p.backOff(err)
	}
	p.tries = 0
	return nil
}

// fits passes over an event that came too late for its flow.
func ignoreMisfit(err error) error {
	if err == nil {
		return nil
	}
	if misfit := (*flow.MisfitError)(nil); errors.As(err, &misfit) {
		return nil
	}
	return err
}

// keep applies an event that must not be lost. The lock is held.
func (r *run) applyOrQueue(e flow.Event) error {
	if len(r.kept) == 0 {
		err := ignoreMisfit(r.apply(e))
		if err == nil || errors.Is(err, ErrTakenOver) {
			return err
		}
		r.kept = append(r.kept, e)
		r.wake()
		return err
	}
	r.kept = append(r.kept, e) // after those that came before
	return errQueued
}

// stall waits for a journal to work again.
func (p *driver) backOff(err error) error {
	if errors.Is(err, journal.ErrLost) && !errors.Is(err, ErrTakenOver) { // it was noticed by reading
		p.r.mu.Lock()
		p.r.markLost()
		p.r.mu.Unlock()
		err = fmt.Errorf("%w: %w", ErrTakenOver, err)
	}
	if errors.Is(err, ErrTakenOver) {
		p.r.releasePermit()
		return backoff.Permanent(err)
	}
	p.r.x.reportError(err)
	p.r.releasePermit() // others may go meanwhile
	p.tries++
	p.until = wallClock().Add(min(100*time.Millisecond<<min(p.tries, 8), 10*time.Second))
	return errWaiting
}

// begin sends for the first time, if the provider takes calls now.
func (p *driver) beginFlow(wait time.Duration, again bool) error {
	r := p.r
	if wait > 0 {
		p.until = wallClock().Add(wait)
		return errRefusing
	}
	err := r.start(again)
	if err == nil {
		return nil
	}
	r.mu.Lock()
	accepted, begun := r.accepted, r.next != nil
	r.mu.Unlock()
	switch {
	case begun && ignoreMisfit(err) == nil: // it may have been withdrawn meanwhile
		return nil
	case accepted && ignoreMisfit(err) != nil:
		return p.backOff(err)
	}
	return backoff.Permanent(err)
}

// start takes the first step. A flow that had to wait for it looks at its key again.
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
	for i := range r.earlier {
		if r.earlier[i].RequestID == id {
			r.x.reportError(fmt.Errorf("executor: NewRequestID gave flow %s %q, which an earlier flow of its key has; a random one is used", r.id, id))
			id = newRequestID()
		}
	}
	start := flow.Start{Moment: flow.Moment{At: wallClock()}, OrderID: r.req.OrderID, RequestID: id, ProviderID: r.req.ProviderID, Earlier: r.earlier}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.apply(start)
}

// heard takes the answer of a call, with which most flows end.
func (p *driver) handleAnswer(e flow.Event, x *call) (ended bool, err error) {
	if ended, err = p.r.applyAnswer(e, x); err != nil {
		return false, p.backOff(err)
	}
	return ended, nil
}

// hear reports whether the flow has ended, and nobody has to be told.
func (r *run) applyAnswer(e flow.Event, x *call) (ended bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recordAnswer(x)
	r.class = policy.Unrecognized
	err = r.applyOrQueue(e)
	if r.calling == x { // not before: if somebody's code ends this goroutine, nobody may send in its place
		r.calling = nil
	}
	r.settlePermit(x)
	return r.state.Stage == flow.Ended && r.pass == nil && !r.funded && len(r.owes)+len(r.kept) == 0, err
}
