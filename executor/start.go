package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

// Start begins a payment and returns at once: with a journal, when it is written down. It
// goes on whatever becomes of ctx, until it ends or [Handle.Withdraw] is called.
// Of payment keys the same is true as in [Executor.Do].
func (x *Executor) Start(ctx context.Context, q Request, c Client) (*Handle, error) {
	for {
		r, joined, err := x.admit(ctx, q, c, true)
		if err != nil {
			return nil, err
		}
		if !joined {
			return x.launch(r)
		}
		begun := func() bool { return r.accepted || r.state.Stage != flow.New }
		err = r.waitUntil(ctx, begun)
		switch {
		case err == nil || isMoved(err):
			return &Handle{r: r}, nil
		case !abandonedByCaller(err) || ctx.Err() != nil:
			return nil, err
		}
	}
}

func (x *Executor) launch(r *run) (*Handle, error) {
	defer x.active.Done()
	if err := x.accept(r); err != nil {
		r.releasePermit()
		r.rememberRefused(err)
		r.abandon(err)
		return nil, err
	}
	x.background(r)
	return &Handle{r: r}, nil
}

// accept writes a flow down. If the provider takes no calls now, it begins later.
func (x *Executor) accept(r *run) error {
	if r.breakerWait() == 0 {
		return r.start(false)
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
func (x *Executor) driveInBackground(r *run) {
	err := r.drive(x.life)
	r.mu.Lock()
	over := r.state.Stage == flow.Ended || r.lost
	r.mu.Unlock()
	switch {
	case over:
		x.evict(r)
	case err != nil && x.life.Err() == nil && !errors.Is(err, errReplaced):
		x.reportError(fmt.Errorf("executor: flow %s: %w", r.id, err))
	}
}
