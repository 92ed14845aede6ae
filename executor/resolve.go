package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Resolution is the word of a person, a reconciliation file, or a cancel that worked.
type Resolution struct {
	OrderID   string // of the identity that it speaks of
	RequestID string // needed where several requests have the order id
	Effect    policy.Effect
	Who, Why  string // both needed; they stand in the evidence
}

// Resolve tells a flow, open or not, what became of one of its identities.
func (x *Executor) Resolve(ctx context.Context, id string, w Resolution) error {
	if w.Who == "" || w.Why == "" {
		return errors.New("executor: a resolution says who and why")
	}
	if !w.Effect.Settled() {
		return fmt.Errorf("executor: a resolution says executed or not_executed, not %s", w.Effect)
	}
	var missing error
	err := x.applyTo(ctx, id, func(r *run) flow.Event {
		i, err := r.identity(w.OrderID, w.RequestID)
		if missing = err; err != nil {
			return nil
		}
		return flow.Resolved{Moment: x.moment(), Identity: i, Effect: w.Effect, Who: w.Who, Why: w.Why}
	})
	return errors.Join(missing, err)
}

// identity finds the one that a resolution speaks of. The lock is held.
func (r *run) identity(orderID, requestID string) (int, error) {
	found, n := -1, 0
	for i := range r.state.Ledger {
		if id := &r.state.Ledger[i]; id.OrderID == orderID && (requestID == "" || id.RequestID == requestID) {
			found = i
			n++
		}
	}
	switch n {
	case 0:
		return -1, fmt.Errorf("executor: flow %s sent nothing as order %q, request %q", r.id, orderID, requestID)
	case 1:
		return found, nil
	}
	return -1, fmt.Errorf("executor: flow %s sent %d requests of order %q; say which", r.id, n, orderID)
}

// touch gives an event to a flow, open or ended, in memory or not. event may be asked more
// than once, and is called with the flow's lock held; nil: there is nothing to give.
func (x *Executor) applyTo(ctx context.Context, id string, event func(*run) flow.Event) error {
	const tries = 50 // against others who load the same flow from the journal
	var err error
	for range tries {
		r, letGo, failed := x.find(ctx, id)
		if errors.Is(failed, ErrTakenOver) {
			err = failed
			continue
		}
		if failed != nil {
			return failed
		}
		err = nil
		r.mu.Lock()
		if e := event(r); e != nil {
			err = r.apply(e)
		}
		r.mu.Unlock()
		if err == nil {
			r.deliverNotices()
		}
		letGo()
		if !errors.Is(err, ErrTakenOver) {
			return err
		}
	}
	return err
}
