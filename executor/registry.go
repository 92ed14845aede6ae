package executor

import (
	"context"
	"errors"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// register adds a new flow to the indexes, as active, unless another flow has its key: then that
// one is returned. A flow that has ended leaves the indexes a moment after its callers know; until then it must not stand in
// the way of a payment that is made again.
func (x *Executor) register(r *run) (live *run, err error) {
	for {
		live, err = x.registerOnce(r)
		if other := x.inTheWay(live, err); other == nil || !x.retire(other) {
			return live, err
		}
	}
}

// inTheWay is the flow in memory that keeps a new one out: by its key, its order, or its likeness. Nil: there is none.
func (x *Executor) inTheWay(live *run, err error) *run {
	if live != nil || err == nil {
		return live
	}
	order, duplicate := (*OrderError)(nil), (*DuplicateError)(nil)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case errors.As(err, &order):
		return x.flows[order.Flow]
	case errors.As(err, &duplicate):
		return x.flows[duplicate.Flow]
	}
	return nil
}

// retire takes a flow that has ended out of the indexes that keep new flows out, as its driver will, and reports whether it did. The
// journal knows what became of it. Without a journal only a flow that executed nothing is as if it had never been.
func (x *Executor) retire(r *run) bool {
	r.mu.Look()
	over := r.state.Stage == flow.Ended && (x.cfg.Journal != nil || r.state.Outcome == policy.Failed && noneExecuted(r.state.Ledger))
	r.mu.Unlock()
	if over {
		x.evictWith(r, retention{retain: true})
	}
	return over
}

func (x *Executor) registerOnce(r *run) (live *run, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, ErrClosed
	}
	if r.req.Key != "" {
		if live := x.byKey[r.key()]; live != nil {
			return live, nil
		}
	}
	if err := x.orderFreeLocked(r); err != nil {
		return nil, err
	}
	if err := x.alikeFreeLocked(r); err != nil {
		return nil, err
	}
	x.addLocked(r)
	x.active.Add(1)
	return nil, nil
}

// addLocked adds a flow to the indexes. The lock is held.
func (x *Executor) addLocked(r *run) {
	x.flows[r.id] = r
	x.addOrderLocked(r)
	if r.state.Stage != flow.Ended {
		x.addAlikeLocked(r)
	}
	if r.req.Key != "" && r.state.Stage != flow.Ended {
		x.byKey[r.key()] = r
	}
}

// inMemory lists the flows in memory.
func (x *Executor) inMemory() []*run {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*run, 0, len(x.flows))
	for _, r := range x.flows {
		all = append(all, r)
	}
	return all
}

// clientOf is the client of a flow that was read from the journal: that of the configuration, or
// the one that an evicted copy had.
func (x *Executor) clientOf(r *run) Client {
	if c := x.cfg.Clients[r.state.Payment.Provider]; c != nil {
		return c
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.left.clients[r.id]
}

// drop takes a flow out of the indexes because its row was written by another process, or by
// another copy here. A copy that is loaded later gets the same client. The flow's lock may be
// held: this package takes x.mu after run.mu, never the other way.
func (x *Executor) drop(r *run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.client != nil && x.cfg.Clients[r.state.Payment.Provider] == nil {
		x.left.clients[r.id] = r.client
	}
	if x.byKey[r.key()] == r {
		delete(x.byKey, r.key())
	}
	x.removeLocked(r)
}

// evict removes a flow that has ended, or that never began, unless a notice is still due.
func (x *Executor) evict(r *run) {
	r.mu.Look()
	after := r.retention()
	r.mu.Unlock()
	x.evictWith(r, after)
}

// retention is what eviction needs to know of a flow. It is read under the flow's lock, and used
// under the executor's.
type retention struct {
	retain bool     // the flow must stay in memory
	names  []string // in the index
}

// retention reports whether the flow must stay. The lock is held.
func (r *run) retention() retention {
	// A call that has not returned may hold the breaker's only probe; the sweeper gives it back.
	called := r.calls.current != nil && r.calls.current.permit != nil
	return retention{retain: (len(r.notices.list) > 0 || called) && r.life != lost, names: r.row.names[:r.row.storedNames]}
}

// removeLocked removes a flow and reports whether it was there. The lock is held.
func (x *Executor) removeLocked(r *run) bool {
	if x.flows[r.id] != r {
		return false
	}
	delete(x.flows, r.id)
	x.left.add(r.id)
	x.removeOrderLocked(r)
	x.removeAlikeLocked(r)
	return true
}

// evictWith is evict for a caller that has read the retention.
func (x *Executor) evictWith(r *run, after retention) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.req.Key != "" && x.byKey[r.key()] == r {
		delete(x.byKey, r.key())
	}
	x.removeOrderLocked(r)
	x.removeAlikeLocked(r)
	if after.retain || r.memory.pins > 0 || !x.removeLocked(r) {
		return
	}
	if x.cfg.Journal != nil {
		return
	}
	for _, text := range after.names {
		n := name{r.req.Provider, text}
		if x.byName[n] = slices.DeleteFunc(x.byName[n], func(o *run) bool { return o == r }); len(x.byName[n]) == 0 {
			delete(x.byName, n)
		}
	}
}

// index adds a flow under its names. Without a journal, webhooks are matched by it.
func (x *Executor) index(r *run, names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r.memory.indexed = true
	for _, text := range names {
		n := name{r.req.Provider, text}
		x.byName[n] = append(x.byName[n], r)
	}
}

// findByName finds flows by the names in a webhook, without a journal. A flow that waits for
// its first answer is not in the index yet, because most end with that answer: it is compared
// one by one.
func (x *Executor) findByName(provider string, names []string) []*run {
	var found, rest []*run
	x.mu.Lock()
	for _, text := range names {
		for _, r := range x.byName[name{provider, text}] {
			if !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
	}
	for _, r := range x.flows {
		if !r.memory.indexed && r.req.Provider == provider {
			rest = append(rest, r)
		}
	}
	x.mu.Unlock()
	for _, r := range rest {
		r.mu.Look()
		request := r.req.RequestID
		if n := len(r.state.Ledger); n > 0 {
			request = r.state.Ledger[n-1].RequestID
		}
		r.mu.Unlock()
		if slices.Contains(names, r.req.OrderID) || request != "" && slices.Contains(names, request) {
			found = append(found, r)
		}
	}
	return found
}

// rememberRefused notes a flow whose first write failed in an unclear way. Its row may exist
// nevertheless, and nothing was sent after it: the sweeper withdraws such a row.
func (r *run) rememberRefused(why error) {
	r.mu.Lock()
	unsure := r.row.unsure
	r.mu.Unlock()
	if open := (*journal.OpenError)(nil); !unsure || errors.As(why, &open) {
		return
	}
	r.x.mu.Lock()
	defer r.x.mu.Unlock()
	r.x.refused[r.id] = true
}

// withdrawRefused ends a flow that rememberRefused noted, when its row turns up. The row must be
// of version 1: with a later one a process has continued the flow, and may have sent. The
// withdrawal comes first, so that nothing is sent if the second write fails.
func (x *Executor) withdrawRefused(r *run) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	sending, attempt := r.state.Stage == flow.Sending, r.state.Attempts
	err := r.apply(flow.Withdrawn{Moment: x.moment(), Why: "the request was refused, because the journal failed"})
	if err == nil && sending {
		err = r.apply(flow.Answered{Moment: x.moment(), Answer: policy.Answer{Fault: policy.NotSent}, Attempt: attempt})
	}
	return err
}

// takeUp continues an open flow of the journal that has no driver in this process. wanted says
// that a caller waits for it; without one, a flow that was bound to its caller sends nothing. since is when the look at its
// row began; the error is errBehind if the row must be read again.
func (x *Executor) takeUp(old *run, c Client, wanted bool, since looked) (*run, error) {
	if old.client = c; c == nil {
		return nil, errNoClient(old)
	}
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil, ErrClosed
	}
	// Another goroutine may have loaded the row first. Two copies would write against each other.
	if live := x.flows[old.id]; live != nil {
		x.mu.Unlock()
		return live, live.takeUpCopy(c, wanted)
	}
	if x.left.behind(old.id, since) {
		x.mu.Unlock()
		return nil, errBehind
	}
	delete(x.left.clients, old.id)
	delete(x.refused, old.id) // a request of its key joins it
	x.addLocked(old)
	x.mu.Unlock()
	if err := old.resume(wanted); err != nil {
		old.abandon(err)
		return nil, err
	}
	if !old.parkWaiting() {
		x.background(old)
	}
	return old, nil
}

// takeUpCopy continues a copy that find has loaded without a client.
func (r *run) takeUpCopy(c Client, wanted bool) error {
	r.mu.Lock()
	idle := r.client == nil && r.plan.driver == nil && r.life != lost && r.state.Stage != flow.Ended
	if idle {
		r.client = c
	}
	r.mu.Unlock()
	if !idle {
		return nil
	}
	if err := r.resume(wanted); err != nil {
		return err
	}
	r.x.background(r)
	return nil
}

// find returns a flow by its id: the one in memory, else the journal's. An open flow of the
// journal is continued if it has a client. The flow stays in memory until unpin is called.
func (x *Executor) find(ctx context.Context, id string) (r *run, unpin func(), err error) {
	if x.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	if r := x.pin(id, nil, atAnyRate); r != nil {
		return r, func() { x.unpin(r) }, nil
	}
	if x.cfg.Journal == nil {
		return nil, nil, ErrUnknownFlow
	}
	err = x.reading(func(since looked) error {
		r, unpin, err = x.findStored(ctx, id, since)
		return err
	})
	return r, unpin, err
}

// findStored is find for a flow that is not in memory.
func (x *Executor) findStored(ctx context.Context, id string, since looked) (r *run, unpin func(), err error) {
	row, held, err := x.load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil, ErrUnknownFlow
	}
	if err != nil {
		return nil, nil, err
	}
	if r, err = x.read(&row); err != nil {
		return nil, nil, err
	}
	if r.elsewhere = held; held {
		return r, func() {}, nil
	}
	if row.Open && r.client != nil {
		if r, err = x.takeUp(r, r.client, false, since); err != nil {
			return nil, nil, err
		}
		since = atAnyRate // what was taken up is the flow itself
	} else if row.Open { // load has made this process its owner
		x.reportError(x.giveUp(ctx, id))
	}
	if r = x.pin(id, r, since); r == nil {
		return nil, nil, errBehind
	}
	return r, func() { x.unpin(r) }, nil
}

// pin keeps a flow in memory: the one with this id, else r, unless the row of that is behind. Two pins of one id thus
// share a copy, and do not write against each other.
func (x *Executor) pin(id string, r *run, since looked) *run {
	x.mu.Lock()
	defer x.mu.Unlock()
	if live := x.flows[id]; live != nil {
		r = live
	} else if x.left.behind(id, since) {
		return nil
	}
	if r != nil {
		x.flows[r.id] = r
		r.memory.pins++
	}
	return r
}

// unpin lets the flow be evicted, if it needs no driver.
func (x *Executor) unpin(r *run) {
	x.mu.Lock()
	r.memory.pins--
	x.mu.Unlock()
	r.mu.Look()
	over := r.state.Stage == flow.Ended || r.life == lost || r.client == nil
	r.mu.Unlock()
	if over {
		x.evict(r)
	}
}

// background drives a flow in a goroutine of its own.
func (x *Executor) background(r *run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.active.Go(func() { x.driveInBackground(r, nil) })
	}
}
