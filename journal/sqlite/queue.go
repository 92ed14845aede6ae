package sqlite

import (
	"context"
	"fmt"
	"sync"

	"github.com/recourse-pay/recourse/journal"
)

const (
	maxQueued = 64 << 20  // bytes that wait for the committer
	maxRow    = 256 << 20 // SQLite's own limit is near a gigabyte; a group must fit into memory
	keepState = 16 << 10  // a larger buffer is not kept for the next request
)

// request is one thing for the committer to do: a row to put, or a job.
type request struct {
	row  journal.Row // its names and state are the request's own
	lazy bool
	job  func(*writer) error // instead of a row; alone in its transaction
	err  error
	done chan error // room for one: the committer never waits
}

var requests = sync.Pool{New: func() any { return &request{done: make(chan error, 1)} }}

// newRequest copies a row, as its owner may do with it what he likes after the call, and
// a call whose context ends returns while the committer is still at work.
func newRequest(r *journal.Row, d journal.Durability) *request {
	req := requests.Get().(*request)
	names, state := req.row.Names[:0], req.row.State[:0]
	req.row = *r
	req.row.Names = append(names, r.Names...)
	req.row.State = append(state, r.State...)
	req.lazy = d == journal.Lazy
	return req
}

func (r *request) release() {
	r.err, r.job = nil, nil
	if cap(r.row.State) <= keepState {
		requests.Put(r)
	}
}

// size is about what a row takes in memory.
func size(r *journal.Row) int {
	n := len(r.State) + len(r.ID) + len(r.Provider) + len(r.Key.Merchant) + len(r.Key.Payment) + 256
	for _, name := range r.Names {
		n += len(name)
	}
	return n
}

// Put implements [journal.Journal].
func (j *Journal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := r.Check(); err != nil {
		return err
	}
	if n := size(r); n > maxRow {
		return fmt.Errorf("sqlite: the row of %s has %d bytes; at most %d are stored", r.ID, n, maxRow)
	}
	req := newRequest(r, d)
	if err := j.enqueue(ctx, req); err != nil {
		req.release()
		return err
	}
	if d == journal.Lazy {
		return nil
	}
	return wait(ctx, req)
}

// wait returns what became of a request. One that is left by its caller is left to the
// garbage collector too, as the committer still has it.
func wait(ctx context.Context, req *request) error {
	select {
	case err := <-req.done:
		req.release()
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue gives a request to the committer, as soon as there is room.
func (j *Journal) enqueue(ctx context.Context, req *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bytes := size(&req.row)
	j.mu.Lock()
	for {
		if err := j.usable(); err != nil {
			j.mu.Unlock()
			return err
		}
		if len(j.queue) < j.opts.Queue && (j.bytes == 0 || j.bytes+bytes <= maxQueued) {
			break
		}
		if err := j.waitTurn(ctx); err != nil {
			return err
		}
	}
	first := len(j.queue) == 0
	j.queue = append(j.queue, req)
	j.bytes += bytes
	j.put++
	wake := false
	if req.lazy {
		j.lazy = j.put
		if first {
			j.hold.Reset(j.opts.Hold)
		}
	} else {
		wake = !j.urgent
		j.urgent = true
	}
	j.mu.Unlock()
	if wake {
		j.signal()
	}
	return nil
}

// usable says whether the journal still takes calls. The mutex is held.
func (j *Journal) usable() error {
	switch {
	case j.lost != nil:
		return j.lost
	case j.closed:
		return journal.ErrClosed
	}
	return nil
}

// waitTurn waits until the committer is done with the next group. It is called with the
// mutex held, and returns with it held unless it returns an error.
func (j *Journal) waitTurn(ctx context.Context) error {
	if j.turn == nil {
		j.turn = make(chan struct{})
	}
	turn := j.turn
	j.mu.Unlock()
	j.hurry()
	select {
	case <-turn:
		j.mu.Lock()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hurry has the committer take what is queued now.
func (j *Journal) hurry() {
	j.mu.Lock()
	j.urgent = true
	j.mu.Unlock()
	j.signal()
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// settle returns when every row whose Put has returned can be read: all but the lazy ones
// are stored already.
func (j *Journal) settle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	target := j.lazy
	for {
		if err := j.usable(); err != nil {
			j.mu.Unlock()
			return err
		}
		if j.stored >= target {
			j.mu.Unlock()
			return nil
		}
		if err := j.waitTurn(ctx); err != nil {
			return err
		}
	}
}

// run has the committer do a job in a transaction of its own, after all that is queued.
func (j *Journal) run(ctx context.Context, job func(*writer) error) error {
	req := &request{job: job, done: make(chan error, 1)}
	if err := j.enqueue(ctx, req); err != nil {
		return err
	}
	select {
	case err := <-req.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
