package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/journal"
)

const (
	maxQueued      = 64 << 20  // bytes that may wait for the committer
	maxRow         = 256 << 20 // SQLite allows about a gigabyte, but a group must fit into memory
	maxPooledState = 16 << 10  // larger buffers are not pooled, so that they do not stay in memory
)

// request is one task of the committer: a row to store, or a job.
type request struct {
	row  journal.Row // Names and State are copies; no Seen: no other row has the key
	lazy bool
	job  func(*writer) error // instead of a row; runs in a transaction of its own
	err  error
	done chan error // buffered: the committer must not wait for a caller
}

var requests = sync.Pool{New: func() any { return &request{done: make(chan error, 1)} }}

// newRequest copies a row. The caller may change its row after Put returns, and Put may
// return before the commit: a lazy row, or a context that ends.
func newRequest(r *journal.Row, d journal.Durability) *request {
	req := requests.Get().(*request)
	names, state, tombstone := req.row.Names[:0], req.row.State[:0], req.row.Tombstone[:0]
	req.row = *r
	req.row.Names = append(names, r.Names...)
	req.row.State = append(state, r.State...)
	req.row.Tombstone = append(tombstone, r.Tombstone...)
	req.lazy = d == journal.Lazy
	return req
}

func (r *request) release() {
	r.err, r.job = nil, nil
	if cap(r.row.State) <= maxPooledState {
		requests.Put(r)
	}
}

// rowSize estimates the bytes that a row takes in memory.
func rowSize(r *journal.Row) int {
	n := len(r.State) + len(r.Tombstone) + len(r.ID) + len(r.Provider) + len(r.Key.Merchant) + len(r.Key.Payment) + 256
	for _, name := range r.Names {
		n += len(name)
	}
	return n
}

// Put stores a row in the group of the next commit; see [journal.Journal].
func (j *Journal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := r.Check(); err != nil {
		return err
	}
	if n := rowSize(r); n > maxRow {
		return fmt.Errorf("sqlite: the row of %s has %d bytes; at most %d are stored", r.ID, n, maxRow)
	}
	met := j.known != nil && j.known.add(r)
	req := newRequest(r, d)
	if req.row.Seen = nil; met { // most keys are new
		req.row.Seen = slices.Clone(r.Seen)
	}
	if err := j.enqueue(ctx, req); err != nil {
		req.release()
		return err
	}
	if d == journal.Lazy {
		return nil
	}
	return wait(ctx, req)
}

// wait returns the result of a request. If ctx ends first, the request is not released: the
// committer still uses it.
func wait(ctx context.Context, req *request) error {
	select {
	case err := <-req.done:
		req.release()
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue appends a request to the queue. It waits while the queue is full.
func (j *Journal) enqueue(ctx context.Context, req *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bytes := rowSize(&req.row)
	j.mu.Lock()
	for {
		err := j.usable()
		if err == nil && j.opts.ReadOnly {
			err = errReadOnly
		}
		if err != nil {
			j.mu.Unlock()
			return err
		}
		if len(j.queue) < j.opts.Queue && (j.bytes == 0 || j.bytes+bytes <= maxQueued) {
			break
		}
		if err := j.waitProgress(ctx); err != nil {
			return err
		}
	}
	first := len(j.queue) == 0
	j.queue = append(j.queue, req)
	j.bytes += bytes
	j.queued++
	wake := false
	if req.lazy {
		j.lastLazy = j.queued
		if req.row.Version == 1 || len(req.row.Names) > 0 {
			j.lastName = j.queued
		}
		if first {
			j.hold.Reset(j.opts.Hold)
		}
	} else {
		wake = !j.urgent
		j.urgent = true
	}
	j.mu.Unlock()
	if wake {
		j.wakeCommitter()
	}
	return nil
}

// usable returns an error if the journal is lost or closed. The caller holds the mutex.
func (j *Journal) usable() error {
	switch {
	case j.lost != nil:
		return j.lost
	case j.closed:
		return journal.ErrClosed
	}
	return nil
}

// waitProgress waits until the committer has finished a group. The caller holds the mutex.
// waitProgress returns with the mutex held, except when it returns an error.
func (j *Journal) waitProgress(ctx context.Context) error {
	if j.progress == nil {
		j.progress = make(chan struct{})
	}
	progress := j.progress
	j.mu.Unlock()
	j.commitNow()
	select {
	case <-progress:
		j.mu.Lock()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitNow makes the committer take the queue without waiting for Options.Hold.
func (j *Journal) commitNow() {
	j.mu.Lock()
	j.urgent = true
	j.mu.Unlock()
	j.wakeCommitter()
}

func (j *Journal) wakeCommitter() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// waitLazy waits until every lazy row is stored, so that reads find each row whose Put has
// returned. Synced rows are stored when Put returns.
func (j *Journal) waitLazy(ctx context.Context) error {
	return j.waitFor(ctx, func() uint64 { return j.lastLazy })
}

// waitFor waits until the request with a number is finished. The number is read with the mutex held.
func (j *Journal) waitFor(ctx context.Context, number func() uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	target := number()
	for {
		if err := j.usable(); err != nil {
			j.mu.Unlock()
			return err
		}
		if j.finished >= target {
			j.mu.Unlock()
			return nil
		}
		if err := j.waitProgress(ctx); err != nil {
			return err
		}
	}
}

// run queues a job for the committer and waits for its result.
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
