package executor

import (
	"context"
	"errors"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/policy"
)

// Handle refers to a flow. Its methods are safe for concurrent use.
type Handle struct{ r *run }

// Flow is the flow's id.
func (h *Handle) Flow() string { return h.r.current().id }

// now is the flow in memory, or, when it was evicted, the one in the journal. Its state may have
// changed since, unless it succeeded or failed: those ends are final.
func (h *Handle) now(ctx context.Context) (*run, error) {
	r := h.r.current()
	r.x.mu.Lock()
	evicted := r.x.flows[r.id] != r && r.x.cfg.Journal != nil
	r.x.mu.Unlock()
	r.mu.Look()
	final := r.waiters.err != nil || r.state.Outcome == policy.Succeeded || r.state.Outcome == policy.Failed
	r.mu.Unlock()
	if !evicted || final {
		return r, nil
	}
	fresh, unpin, err := r.x.find(ctx, r.id)
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, ErrUnknownFlow):
		return r, nil // the last state that is known here
	case err != nil:
		return r, err
	}
	unpin()
	return fresh, nil
}

// State is a snapshot of the flow. Do not write to what it points to.
func (h *Handle) State() flow.State {
	r, err := patiently(h.r.x.forever, readPatience, "the journal", h.r.id, h.now)
	if err != nil { // the last state in memory
		r = h.r.current()
	}
	r.mu.Look()
	defer r.mu.Unlock()
	return r.state
}

// Wait blocks until the flow has ended. If ctx is over first the flow goes on, and the error is
// a [*PendingError].
func (h *Handle) Wait(ctx context.Context) (*Result, error) {
	return bounded(ctx, h.r.x, func() (*Result, error) {
		r, err := h.now(ctx)
		if err != nil {
			return nil, r.pendingError(err)
		}
		return r.wait(ctx)
	}, func(why error) (*Result, error) { return nil, h.r.current().pendingError(why) })
}

func (r *run) wait(ctx context.Context) (*Result, error) {
	if r.elsewhere {
		var err error
		if r, err = r.follow(ctx, func(*run) bool { return false }); err != nil {
			return nil, err
		}
	}
	var result *Result
	err := r.waitUntil(ctx, func() bool {
		if result = r.resultLocked(); result != nil && r.repeats {
			again := *result
			again.Repeated = true
			result = &again
		}
		return result != nil
	})
	if isMoved(err) {
		return r.current().wait(ctx)
	}
	return result, err
}

// isMoved reports whether a joined flow turned out to be an earlier one of the same key.
func isMoved(err error) bool {
	var to *movedError
	return errors.As(err, &to)
}

// current is the flow itself, or the one that it turned out to be.
func (r *run) current() *run {
	r.mu.Look()
	defer r.mu.Unlock()
	if to := (*movedError)(nil); errors.As(r.waiters.err, &to) {
		return to.to
	}
	return r
}

// Shopper blocks until the provider has said what the shopper must do next, such as a link to
// pay by. It is zero if the flow ends without.
func (h *Handle) Shopper(ctx context.Context) (policy.ShopperAction, error) {
	r := h.r.current()
	if r.elsewhere {
		var err error
		if r, err = r.follow(ctx, func(r *run) bool { return !r.action().IsZero() }); err != nil {
			return policy.ShopperAction{}, err
		}
	}
	var s policy.ShopperAction
	err := r.waitUntil(ctx, func() bool {
		s = r.action()
		return !s.IsZero() || r.state.Stage == flow.Ended
	})
	if isMoved(err) {
		return h.Shopper(ctx)
	}
	return s, err
}

// Withdraw stops sending; a send that is under way is not broken off. The flow ends failed if
// nothing was executed, and otherwise by what became of the requests that were sent.
func (h *Handle) Withdraw(why string) error {
	why = cards.Mask(why) // it stands in the journal for good
	_, err := patiently(h.r.x.forever, putPatience, "the journal", h.r.id, func(ctx context.Context) (struct{}, error) {
		r, err := h.now(ctx)
		if err != nil {
			return struct{}{}, err
		}
		if r.elsewhere {
			return struct{}{}, r.leave(ctx, func(r *run) flow.Event { return flow.Withdrawn{Moment: r.x.moment(), Why: why} }, false)
		}
		err = r.withdraw(why)
		r.deliverNotices(false)
		return struct{}{}, err
	})
	return err
}

// Handle finds a flow by its id, open or not. The error is [ErrUnknownFlow] when there is
// none.
func (x *Executor) Handle(ctx context.Context, flow string) (*Handle, error) {
	return bounded(ctx, x, func() (*Handle, error) {
		r, unpin, err := x.find(ctx, flow)
		if err != nil {
			return nil, err
		}
		unpin()
		return &Handle{r: r}, nil
	}, noResult[*Handle])
}
