package executor

import (
	"context"
	"errors"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Handle refers to a flow. Its methods are safe for concurrent use.
type Handle struct{ r *run }

// Flow is the flow's id.
func (h *Handle) Flow() string { return h.r.current().id }

// now is the flow as it is: in memory, or, when it has left that, in the journal.
// An end other than escalated does not change any more.
func (h *Handle) now(ctx context.Context) (*run, error) {
	r := h.r.current()
	r.x.mu.Lock()
	gone := r.x.flows[r.id] != r && r.x.cfg.Journal != nil
	r.x.mu.Unlock()
	r.mu.Lock()
	final := r.waiters.err != nil || r.state.Outcome == policy.Succeeded || r.state.Outcome == policy.Failed
	r.mu.Unlock()
	if !gone || final {
		return r, nil
	}
	fresh, letGo, err := r.x.find(ctx, r.id)
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, ErrUnknownFlow):
		return r, nil // as far as anybody here knows
	case err != nil:
		return r, err
	}
	letGo()
	return fresh, nil
}

// State is how the flow stands. It is not to be written to.
func (h *Handle) State() flow.State {
	r, _ := h.now(context.Background()) // as it was, if the journal does not say
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Wait returns the flow's end. When ctx is over first the flow goes on, and the error is a
// [*PendingError].
func (h *Handle) Wait(ctx context.Context) (*Result, error) {
	r, err := h.now(ctx)
	if err != nil {
		return nil, r.pendingError(err)
	}
	return r.wait(ctx)
}

func (r *run) wait(ctx context.Context) (*Result, error) {
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

// moved reports whether a flow that somebody joined has turned out to be another one.
func isMoved(err error) bool {
	var to *movedError
	return errors.As(err, &to)
}

// real is the flow that this one has turned out to be.
func (r *run) current() *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	if to := (*movedError)(nil); errors.As(r.waiters.err, &to) {
		return to.to
	}
	return r
}

// Shopper is what the shopper must do next, as soon as the provider has said it, such as a
// link to pay by. It is zero when the flow ends without.
func (h *Handle) Shopper(ctx context.Context) (policy.ShopperAction, error) {
	r := h.r.current()
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

// Withdraw says that the payment is not wanted any more: nothing more is sent, but for a
// send that is under way. The flow then ends failed if nothing was executed, and otherwise
// as what was sent turns out.
func (h *Handle) Withdraw(why string) error {
	r, err := h.now(context.Background())
	if err != nil {
		return err
	}
	err = r.withdraw(why)
	r.deliverNotices()
	return err
}

// Handle finds a flow by its id, open or not. The error is [ErrUnknownFlow] when there is
// none.
func (x *Executor) Handle(ctx context.Context, flow string) (*Handle, error) {
	r, letGo, err := x.find(ctx, flow)
	if err != nil {
		return nil, err
	}
	letGo()
	return &Handle{r: r}, nil
}
