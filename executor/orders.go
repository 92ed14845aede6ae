package executor

import (
	"context"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// What a provider says of an order, it says of every request that has the order's id: to a query by
// the order, or in a webhook. Two payments under one order could not be distinguished, and the one would
// end with the other's success. So an order belongs to one payment key. The order of a capture or a
// cancel is that of the payment that it works on; a second capture of it is refused until the first one
// is known not to have executed.

// order is an order id, or the provider's id of a trade, of one operation of a merchant.
type order struct {
	provider, merchant string
	operation          policy.Operation
	id                 string
	theirs             bool // it is the provider's id
}

// OrderError says that another payment has the order: a flow of another payment key, or of none.
type OrderError struct {
	Flow    string // the one that has it
	OrderID string // or the provider's id of what a capture or cancel works on
}

// Error names the flow.
func (e *OrderError) Error() string {
	return fmt.Sprintf("executor: order %q is that of flow %s, which serves another payment key; answers about the one could be taken for the other", e.OrderID, e.Flow)
}

// orders are those of a request. The trade of a capture or a cancel is one, too.
func (q *Request) orders() (all [2]order, n int) {
	base := order{provider: q.Provider, merchant: q.Merchant, operation: q.Operation}
	if q.OrderID != "" {
		all[n] = base
		all[n].id = q.OrderID
		n++
	}
	if q.ProviderID != "" && onTrade(q.Operation) {
		all[n] = base
		all[n].id, all[n].theirs = q.ProviderID, true
		n++
	}
	return all, n
}

// addOrderLocked puts an open flow into the index by order. The lock is held.
func (x *Executor) addOrderLocked(r *run) {
	if r.state.Stage == flow.Ended {
		return // the journal knows what became of it
	}
	all, n := r.req.orders()
	for _, o := range all[:n] {
		x.byOrder[o] = r
	}
}

// removeOrderLocked takes a flow out of the index by order. The lock is held.
func (x *Executor) removeOrderLocked(r *run) {
	all, n := r.req.orders()
	for _, o := range all[:n] {
		if x.byOrder[o] == r {
			delete(x.byOrder, o)
		}
	}
}

// orderFreeLocked returns an error if an open flow that serves another payment has an order of a
// new one. The lock is held.
func (x *Executor) orderFreeLocked(r *run) error {
	all, n := r.req.orders()
	for _, o := range all[:n] {
		if other := x.byOrder[o]; other != nil && other.otherPayment(r) {
			return &OrderError{Flow: other.id, OrderID: o.id}
		}
	}
	return nil
}

// otherPayment reports whether a flow serves another payment than a new one.
func (r *run) otherPayment(of *run) bool {
	return r != of && (r.req.Key == "" || r.key() != of.key())
}

// orderFree returns an error if a flow of the journal that serves another payment has an order of a
// new one, and is not known to have executed nothing.
func (x *Executor) orderFree(ctx context.Context, r *run) error {
	all, n := r.req.orders()
	for _, o := range all[:n] {
		if err := x.nameFree(ctx, r, o); err != nil {
			return err
		}
	}
	return nil
}

func (x *Executor) nameFree(ctx context.Context, r *run, o order) error {
	if x.cfg.Journal == nil {
		return nil
	}
	rows, err := x.cfg.Journal.Named(ctx, o.provider, o.id)
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if row.ID == r.id || row.Key.Merchant != o.merchant || row.Key.Operation != o.operation || row.Key.Payment != "" && row.Key == r.key() {
			continue
		}
		old, err := x.read(row)
		if err != nil {
			return err
		}
		if old.hasOrder(o) && (row.Open || !noneExecuted(old.state.Ledger)) {
			return &OrderError{Flow: old.id, OrderID: o.id}
		}
	}
	return nil
}

// hasOrder reports whether a flow was sent, or will be, under an order.
func (r *run) hasOrder(o order) bool {
	if o.theirs {
		return r.req.ProviderID == o.id || r.state.Target == o.id
	}
	return r.req.OrderID == o.id || slices.ContainsFunc(r.state.Ledger, func(id flow.Identity) bool { return id.OrderID == o.id })
}
