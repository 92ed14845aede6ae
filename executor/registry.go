package executor

import (
	"context"
	"errors"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// register takes a flow into memory, as active. The flow that has its key already is returned.
func (x *Executor) register(r *run) (live *run, err error) {
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
	x.addLocked(r)
	x.active.Add(1)
	return nil, nil
}

// enter adds a flow to the indexes. The lock is held.
func (x *Executor) addLocked(r *run) {
	x.flows[r.id] = r
	if r.req.Key != "" && r.state.Stage != flow.Ended {
		x.byKey[r.key()] = r
	}
}

// live lists the flows in memory.
func (x *Executor) inMemory() []*run {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*run, 0, len(x.flows))
	for _, r := range x.flows {
		all = append(all, r)
	}
	return all
}

// clientOf is who makes the calls of a flow that is read from the journal.
func (x *Executor) clientOf(r *run) Client {
	if c := x.cfg.Clients[r.state.Payment.Provider]; c != nil {
		return c
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.clients[r.id]
}

// drop takes a flow out of the indexes: another process has it, or a fresher copy of it is to
// be loaded, with the same client. The flow's lock may be held.
func (x *Executor) drop(r *run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.client != nil && x.cfg.Clients[r.state.Payment.Provider] == nil {
		x.clients[r.id] = r.client
	}
	if x.byKey[r.key()] == r {
		delete(x.byKey, r.key())
	}
	x.removeLocked(r)
}

// forget lets go of a flow that has ended, or that never began, unless somebody has still
// to be told.
func (x *Executor) evict(r *run) {
	r.mu.Lock()
	after := r.retention()
	r.mu.Unlock()
	x.evictWith(r, after)
}

// afterlife is what a flow leaves behind that is let go of.
type retention struct {
	retain bool     // it cannot be let go of yet
	names  []string // that it is known by
}

// after says what a flow leaves behind. The lock is held.
func (r *run) retention() retention {
	// A call that has not returned may hold the only pass of a breaker; the sweeper sees to it.
	called := r.calls.current != nil && r.calls.current.permit != nil
	return retention{retain: (len(r.notices.list) > 0 || called) && r.life != lost, names: r.row.names[:r.row.storedNames]}
}

// take takes a flow out of memory and reports whether it was there. The lock is held.
func (x *Executor) removeLocked(r *run) bool {
	if x.flows[r.id] != r {
		return false
	}
	delete(x.flows, r.id)
	return true
}

// let lets go of a flow that was looked at just now.
func (x *Executor) evictWith(r *run, after retention) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.req.Key != "" && x.byKey[r.key()] == r {
		delete(x.byKey, r.key())
	}
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

// index makes a flow known by its names, where no journal does.
func (x *Executor) index(r *run, names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r.memory.indexed = true
	for _, text := range names {
		n := name{r.req.Provider, text}
		x.byName[n] = append(x.byName[n], r)
	}
}

// knows finds the flows in memory by name, where no journal does. A flow whose first request
// has not been answered yet is not in the index: most end with the answer.
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
		r.mu.Lock()
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

// disown remembers a flow of this process whose first row the journal failed to store, for a
// reason of its own: it may be there nevertheless, and nothing was sent after it.
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

// end ends a disowned flow that turns up. Its row must be the first: after that somebody has
// taken it up, and only its own answers tell what became of it. It is withdrawn before anything
// else, so that whatever else fails nothing is sent.
func (x *Executor) withdrawRefused(r *run) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	sending, attempt := r.state.Stage == flow.Sending, r.state.Attempts
	err := r.apply(flow.Withdrawn{Moment: x.moment(), Why: "it was refused when it was asked for: the journal failed"})
	if err == nil && sending {
		err = r.apply(flow.Answered{Moment: x.moment(), Answer: policy.Answer{Fault: policy.NotSent}, Attempt: attempt})
	}
	return err
}

// adopt takes an open flow of the journal that nobody drives here, and goes on with it.
// Where nobody wants it any more, nothing more is sent.
func (x *Executor) takeUp(old *run, c Client, wanted bool) (*run, error) {
	if old.client = c; c == nil {
		return nil, errNoClient(old)
	}
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil, ErrClosed
	}
	if live := x.flows[old.id]; live != nil {
		x.mu.Unlock()
		return live, live.takeUpCopy(c, wanted)
	}
	delete(x.clients, old.id)
	delete(x.refused, old.id) // somebody wants it after all
	x.addLocked(old)
	x.mu.Unlock()
	if err := old.resume(wanted); err != nil {
		old.abandon(err)
		return nil, err
	}
	x.background(old)
	return old, nil
}

// goOn takes up a copy that is in memory for a moment only, because nobody could make its
// calls.
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

// find returns a flow by its id: the one in memory, else the journal's, which goes on if it
// is open and somebody can make its calls. The flow stays in memory until let go.
func (x *Executor) find(ctx context.Context, id string) (r *run, letGo func(), err error) {
	if x.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	if r := x.pin(id, nil); r != nil {
		return r, func() { x.unpin(r) }, nil
	}
	if x.cfg.Journal == nil {
		return nil, nil, ErrUnknownFlow
	}
	row, err := x.cfg.Journal.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil, ErrUnknownFlow
	}
	if err != nil {
		return nil, nil, err
	}
	if r, err = x.read(&row); err != nil {
		return nil, nil, err
	}
	if row.Open && r.client != nil {
		if r, err = x.takeUp(r, r.client, false); err != nil {
			return nil, nil, err
		}
	}
	r = x.pin(id, r)
	return r, func() { x.unpin(r) }, nil
}

// pin keeps a flow in memory: the one that is there, else r.
func (x *Executor) pin(id string, r *run) *run {
	x.mu.Lock()
	defer x.mu.Unlock()
	if live := x.flows[id]; live != nil {
		r = live
	}
	if r != nil {
		x.flows[r.id] = r
		r.memory.pins++
	}
	return r
}

func (x *Executor) unpin(r *run) {
	x.mu.Lock()
	r.memory.pins--
	x.mu.Unlock()
	r.mu.Lock()
	over := r.state.Stage == flow.Ended || r.life == lost || r.client == nil
	r.mu.Unlock()
	if over {
		x.evict(r)
	}
}

// background drives a flow without anybody waiting.
func (x *Executor) background(r *run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.active.Go(func() { x.driveInBackground(r) })
	}
}
