package executor

import (
	"context"
	"errors"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Handle is a flow that somebody follows. Its methods are safe for concurrent use.
type Handle struct{ r *run }

// Flow is the flow's id.
func (h *Handle) Flow() string { return h.r.id }

// State is how the flow stands. It is not to be written to.
func (h *Handle) State() flow.State {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	return h.r.state
}

// Wait returns the flow's end. When ctx is over first the flow goes on, and the error is a
// [*PendingError].
func (h *Handle) Wait(ctx context.Context) (*Result, error) { return h.r.wait(ctx) }

func (r *run) wait(ctx context.Context) (*Result, error) {
	var result *Result
	err := r.await(ctx, func() bool {
		if result = r.ended(); result != nil && r.repeats {
			again := *result
			again.Repeated = true
			result = &again
		}
		return result != nil
	})
	if moved := (*movedError)(nil); errors.As(err, &moved) {
		return moved.to.wait(ctx)
	}
	return result, err
}

// Shopper is what the shopper must do next, as soon as the provider has said it, such as a
// link to pay by. It is zero when the flow ends without.
func (h *Handle) Shopper(ctx context.Context) (policy.ShopperAction, error) {
	var s policy.ShopperAction
	err := h.r.await(ctx, func() bool {
		s = h.r.shopper
		return !s.IsZero() || h.r.state.Stage == flow.Ended
	})
	if moved := (*movedError)(nil); errors.As(err, &moved) {
		return (&Handle{moved.to}).Shopper(ctx)
	}
	return s, err
}

// Withdraw says that the payment is not wanted any more: nothing more is sent. The flow then
// ends failed if nothing was executed, and otherwise as what was sent turns out.
func (h *Handle) Withdraw(why string) error {
	err := h.r.withdraw(why)
	h.r.tell()
	return err
}

// Handle finds a flow by its id, open or not. The error is [ErrUnknownFlow] when there is
// none.
func (x *Executor) Handle(ctx context.Context, flow string) (*Handle, error) {
	r, err := x.find(ctx, flow)
	if err != nil {
		return nil, err
	}
	return &Handle{r}, nil
}
