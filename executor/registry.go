package executor

import (
	"context"
	"errors"

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
	if r.key.Payment != "" {
		if live := x.byKey[r.key]; live != nil {
			return live, nil
		}
	}
	x.enter(r)
	x.active.Add(1)
	return nil, nil
}

// enter adds a flow to the indexes. The lock is held.
func (x *Executor) enter(r *run) {
	x.byID[r.id] = r
	if r.key.Payment != "" && r.state.Stage != flow.Ended {
		x.byKey[r.key] = r
	}
	if x.cfg.Journal == nil {
		x.byName[r.name(r.req.OrderID)] = r
	}
}

// name is an identifier as one of the flow's operation.
func (r *run) name(text string) name {
	return name{r.req.Provider, r.req.Operation, text}
}

// index makes a flow known by its names, where no journal does.
func (x *Executor) index(r *run, names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byID[r.id] != r {
		return
	}
	for _, text := range names {
		x.byName[r.name(text)] = r
	}
}

// byNames finds a flow by name, where no journal does.
func (x *Executor) byNames(provider string, op policy.Operation, text string) *run {
	if x.cfg.Journal != nil || text == "" {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.byName[name{provider, op, text}]
}

// forget lets go of a flow that has ended, or that never began, unless somebody has still
// to be told.
func (x *Executor) forget(r *run) {
	r.mu.Lock()
	keep, names := len(r.owes) > 0 && !r.lost, r.allNames
	r.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byKey[r.key] == r {
		delete(x.byKey, r.key)
	}
	if keep {
		return
	}
	delete(x.byID, r.id)
	if x.cfg.Journal != nil {
		return
	}
	for _, text := range names {
		if n := r.name(text); x.byName[n] == r {
			delete(x.byName, n)
		}
	}
}

// adopt takes an open flow of the journal that nobody drives here, and goes on with it.
func (x *Executor) adopt(old *run, c Client) (*run, error) {
	if old.client = c; c == nil {
		return nil, errNoClient(old)
	}
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil, ErrClosed
	}
	if live := x.byID[old.id]; live != nil {
		x.mu.Unlock()
		return live, nil
	}
	x.enter(old)
	x.mu.Unlock()
	if err := old.resume(); err != nil {
		x.forget(old)
		return nil, err
	}
	x.background(old)
	return old, nil
}

// find returns a flow by its id: the one in memory, else the journal's.
func (x *Executor) find(ctx context.Context, id string) (*run, error) {
	x.mu.Lock()
	r := x.byID[id]
	x.mu.Unlock()
	if r != nil {
		return r, nil
	}
	if x.cfg.Journal == nil {
		return nil, ErrUnknownFlow
	}
	row, err := x.cfg.Journal.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, ErrUnknownFlow
	}
	if err != nil {
		return nil, err
	}
	return x.read(&row)
}
