package executor

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

// Prepare checks a payment as [Executor.Start] does, and returns the first row of its flow instead of storing it. A
// journal can store that in a transaction of the caller's (journal/postgres: PutTx), so that an order and its payment
// are committed together or not at all. Nothing is sent before the row is stored. After the commit
// [Executor.Handle] begins the flow; without that the next sweep of any process does.
//
// Config.Clients must have the client of the provider. If the payment key has a flow that is open, the error is a
// [*journal.OpenError]; if one has succeeded or may have moved money, a [*DoubtError].
func (x *Executor) Prepare(ctx context.Context, q Request) (*journal.Row, error) {
	q.clone()
	c := x.cfg.Clients[q.Provider]
	switch {
	case x.shared == nil:
		return nil, fmt.Errorf("executor: Prepare needs a journal that several processes use, such as that of journal/postgres")
	case c == nil:
		return nil, fmt.Errorf("executor: Prepare needs a client in Config.Clients for %q", q.Provider)
	}
	r := x.newRun(q, false)
	refused, err := r.check(ctx, c)
	if err != nil {
		return nil, err
	}
	r.client, r.waiters.background = c, true
	r.id, r.nextRequestID = x.newIDs()
	r.state.Payment, r.state.Started, r.state.NotAfter = q.Payment, x.clock.now(), q.NotAfter
	r.alike = x.like(&r.req, r.state.Started)
	if err := x.keyFree(ctx, r); err != nil {
		return nil, err
	}
	if refused != nil { // after the look: a flow of the key may stand since before the rules were read anew
		return nil, refused
	}
	if err := x.orderFree(ctx, r); err != nil {
		return nil, err
	}
	if err := x.alikeFree(ctx, r); err != nil {
		return nil, err
	}
	if err := r.inTime(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	row, err := r.nextRow(&r.state, nil, new(rowMemory))
	if err != nil {
		return nil, fmt.Errorf("executor: flow %s cannot be written: %w", r.id, err)
	}
	return &row, nil
}

// holdsKey says why a flow leaves no room for another one of its key. Nil: it failed, and executed nothing.
func (r *run) holdsKey() error {
	switch {
	case r.state.Stage != flow.Ended:
		return &journal.OpenError{Key: r.key(), ID: r.id}
	case !noneExecuted(r.state.Ledger):
		return &DoubtError{Flow: r.id, Key: r.req.Key, State: r.state}
	}
	return nil
}

// keyFree returns an error if the key of a flow that is not begun yet has another one that is open, succeeded, or in doubt.
func (x *Executor) keyFree(ctx context.Context, r *run) error {
	flows, err := x.flowsOfKey(ctx, r)
	if err != nil {
		return err
	}
	for _, old := range flows {
		if err := old.holdsKey(); err != nil {
			return err
		}
	}
	if len(flows) >= mostFlows {
		return fmt.Errorf("executor: payment key %q has had %d flows, of which none executed; at most %d are tried under one key", r.req.Key, len(flows), mostFlows)
	}
	return nil
}
