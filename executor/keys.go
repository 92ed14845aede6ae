package executor

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// A payment key is served by one flow after another. Each begins with the identities of the flows
// before it. It reads them again before each later send: a webhook or a person may have settled
// one of them meanwhile, and that holds for the key.

// taker is what a journal may have beside [journal.Journal]: one look instead of several, which mostly find
// nothing. A journal that wraps one need not pass it on.
type taker interface {
	// Taken reports whether ByKey would return a row for a key that is not empty, or Named for a provider and names.
	Taken(ctx context.Context, k journal.Key, provider string, names ...string) (bool, error)
}

// isNew reports whether no row in the journal has the payment key of a new flow, or one of its orders: then
// there is nothing to read. It may report false where that is not known.
func (x *Executor) isNew(ctx context.Context, r *run) (isNew bool, err error) {
	if x.cfg.Journal == nil || x.vitals.journal.taker == nil {
		return false, nil
	}
	defer recovered(&err)
	var names [2]string
	all, n := r.req.orders()
	for i := range n {
		names[i] = all[i].id
	}
	taken, err := x.vitals.journal.taker.Taken(ctx, r.key(), r.req.Provider, names[:n]...)
	return !taken && err == nil, err
}

// earlier reads the flows that the key of a new one had before. If one is open or succeeded, it
// is returned: the request means that flow. So it does if one failed that was open when the request met it (met).
func (x *Executor) earlier(ctx context.Context, r *run, met string) (old *run, err error) {
	err = x.reading(func(since looked) error {
		old, err = x.earlierStored(ctx, r, met, since)
		return err
	})
	return old, err
}

func (x *Executor) earlierStored(ctx context.Context, r *run, met string, since looked) (*run, error) {
	flows, err := x.flowsOfKey(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, old := range flows {
		switch {
		case old.state.Stage != flow.Ended:
			if err := old.same(r); err != nil {
				return nil, err
			}
			live, err := x.takeUpWanted(ctx, old, r.client, since)
			if err == nil {
				err = live.join(r)
			}
			return live, err
		case noneExecuted(old.state.Ledger):
		case old.state.Outcome == policy.Succeeded:
			if err := old.same(r); err != nil {
				return nil, err
			}
			old.repeats = true
			return old, nil
		default:
			return nil, &DoubtError{Flow: old.id, Key: r.req.Key, State: old.state}
		}
	}
	for _, old := range flows {
		if old.id == met {
			return old, old.same(r)
		}
	}
	if len(flows) >= mostFlows {
		return nil, fmt.Errorf("executor: payment key %q has had %d flows, of which none executed; at most %d are tried under one key", r.req.Key, len(flows), mostFlows)
	}
	r.setEarlier(flows)
	return nil, nil
}

// standing joins the flow that stands under the key of a request that the rules refuse, as they do since they were read anew: an error would
// say that nothing was sent. Else the error is that of the rules.
func (x *Executor) standing(ctx context.Context, r *run, refused error, met string) (*run, error) {
	for r.req.Key != "" {
		x.mu.Lock()
		live, closed := x.byKey[r.key()], x.closed
		x.mu.Unlock()
		switch {
		case closed:
			return nil, ErrClosed
		case live == nil:
			earlier, err := x.earlier(ctx, r, met)
			if err == nil && earlier == nil {
				err = refused
			}
			return earlier, err
		case !x.retire(live):
			return live, live.join(r)
		}
	}
	return nil, refused
}

// mostFlows is how many flows one payment key may have: each keeps the identities of all before it.
const mostFlows = 100

// flowsOfKey reads the other flows of a flow's key. Without a journal there is no record of them.
func (x *Executor) flowsOfKey(ctx context.Context, r *run) ([]*run, error) {
	if x.cfg.Journal == nil || r.req.Key == "" {
		return nil, nil
	}
	rows, err := x.cfg.Journal.ByKey(ctx, r.key())
	if err != nil {
		return nil, err
	}
	var flows []*run
	for i := range rows {
		if rows[i].ID == r.id {
			continue
		}
		old, err := x.read(&rows[i])
		if err != nil {
			return nil, err
		}
		flows = append(flows, old)
	}
	return flows, nil
}

// earlier are the flows that a payment key had before. The flow's lock guards it.
type earlier struct {
	flows  []string // nil: the journal was not asked
	ledger []flow.Identity
}

// setEarlier keeps the identities of earlier flows. The journal refuses the first row if there is another one by then. A request id that one of them has is dropped:
// an answer about the one could be taken for the other.
func (r *run) setEarlier(flows []*run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.earlier = earlier{make([]string, len(flows)), identities(flows)}
	for i, f := range flows {
		r.earlier.flows[i] = f.id
	}
	for i := range r.earlier.ledger {
		if r.earlier.ledger[i].RequestID == r.req.RequestID {
			r.req.RequestID = ""
		}
	}
}

// identities joins the ledgers of flows.
func identities(flows []*run) []flow.Identity {
	ledgers := make([][]flow.Identity, len(flows))
	for i, f := range flows {
		ledgers[i] = f.state.Ledger
	}
	return stored.Identities(ledgers...)
}

// noneExecuted reports whether every identity that was sent is known not to have executed.
func noneExecuted(ledger []flow.Identity) bool { return stored.NoneExecuted(ledger) }

// recheckKey reads the other flows of the key before a send. If one of their identities executed,
// or may have, the event tells the machine and forbids the send; else it is nil.
func (r *run) recheckKey() (flow.Event, error) {
	flows, err := r.x.flowsOfKey(r.x.life, r)
	if err != nil || len(flows) == 0 {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range identities(flows) {
		if noneExecuted([]flow.Identity{id}) {
			continue
		}
		i := stored.IndexOf(r.state.Ledger, &id)
		if i >= 0 && !noneExecuted(r.state.Ledger[i:i+1]) {
			continue // the machine knows
		}
		why := fmt.Sprintf("order %s, request %s of the same payment key: %s", id.OrderID, id.RequestID, id.Effect)
		if i >= 0 && id.Effect == policy.Executed && !id.Contested {
			return flow.Resolved{Moment: r.x.moment(), Identity: i, Effect: policy.Executed, Who: "another flow", Why: why}, nil
		}
		return flow.Withdrawn{Moment: r.x.moment(), Why: why}, nil
	}
	return nil, nil
}
