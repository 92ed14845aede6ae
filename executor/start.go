package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

// Start begins a payment and returns at once: with a journal, when it is written. The flow
// continues when ctx is over, until it ends or [Handle.Withdraw] is called. For payment keys see
// [Executor.Do].
//
// Start returns when ctx is over, though the journal stalls. Nothing was sent then, and nothing will be.
func (x *Executor) Start(ctx context.Context, q Request, c Client) (*Handle, error) {
	q.clone()
	d := new(doing)
	return bounded(ctx, x, func() (*Handle, error) { return d.start(ctx, x, q, c) }, func(why error) (*Handle, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.r != nil {
			return &Handle{r: d.r}, nil // at the last moment
		}
		d.gone = true
		return noResult[*Handle](why)
	})
}

func (d *doing) start(ctx context.Context, x *Executor, q Request, c Client) (*Handle, error) {
	met := ""
	for {
		r, joined, err := x.admit(ctx, q, c, true, met)
		if err != nil {
			return nil, err
		}
		if !joined {
			h, err := d.launch(r)
			if x.openElsewhere(ctx, err) {
				met = flowMet(err, met)
				continue
			}
			return h, err
		}
		err = r.waitUntil(ctx, r.begun)
		switch {
		case err == nil || isMoved(err):
			return &Handle{r: r}, nil
		case x.held(ctx, err):
			met = flowMet(err, met)
		case !abandonedByCaller(err) || ctx.Err() != nil:
			return nil, err
		}
	}
}

func (d *doing) launch(r *run) (*Handle, error) {
	x := r.x
	defer x.active.Done()
	err := x.accept(r)
	if isServed(err) {
		return nil, r.makeWay(err)
	}
	if err != nil {
		r.releasePermit()
		r.rememberRefused(err)
		r.abandon(err)
		return nil, err
	}
	if !d.is(r) { // the journal took its time, and the caller has an error
		x.reportError(errors.Join(r.unsent(), r.withdraw("the caller had left before the journal accepted it")))
	}
	x.background(r)
	return &Handle{r: r}, nil
}

// accept writes a flow. If the breaker is open it takes its first step later: Start does not
// wait for it.
func (x *Executor) accept(r *run) error {
	if r.permitWait(false, false) == 0 {
		return r.start(false)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.put(&r.state, nil, journal.Synced); err != nil {
		return err
	}
	r.life = accepted
	r.waiters.broadcast()
	return nil
}

// driveInBackground drives a flow that no caller of Do drives. d is its driver, which was parked; nil: it
// gets a new one.
func (x *Executor) driveInBackground(r *run, d *driver) {
	returned := false
	defer func() {
		if !returned { // a hook or the client ended this goroutine; not at once, it may do so again
			time.AfterFunc(time.Second, func() { x.background(r) })
		}
	}()
	if d == nil {
		d = r.newDriver(x.life)
	}
	err := d.drive()
	returned = true
	if errors.Is(err, errParked) {
		return // another goroutine may drive it already
	}
	r.mu.Look()
	over := r.state.Stage == flow.Ended || r.life == lost
	r.mu.Unlock()
	switch {
	case over:
		x.evict(r)
	case err != nil && x.life.Err() == nil && !errors.Is(err, errReplaced):
		x.reportError(fmt.Errorf("executor: flow %s: %w", r.id, err))
	}
}
