// Package rowqueue is what journals on disk have in common: rows that wait for the one goroutine which commits them, in groups and in their order.
package rowqueue

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// MaxRow is the size of a row in memory, by [Size], up to which it is stored: databases allow about a gigabyte, but a group must fit into memory.
const MaxRow = 256 << 20

const (
	maxQueued      = 64 << 20 // bytes that may wait for the committer
	maxPooledState = 16 << 10 // larger buffers are not pooled, so that they do not stay in memory
)

// Options are settings of a queue.
type Options struct {
	Rows     int           // that may wait for the committer; then Add waits
	Hold     time.Duration // for which a lazy row may wait for more rows of its commit
	ReadOnly error         // why the journal takes no rows; nil: it does

	// Enter is called for each row at the moment at which it gets its place in the queue, so in the order of the commits. Nil: nothing.
	Enter func(*Request)
}

// Queue holds rows, and jobs, until the committer takes them. Use [New].
type Queue struct {
	opts Options
	hold *time.Timer

	mu       sync.Mutex
	waiting  []*Request
	spare    []*Request    // memory of a group of before
	bytes    int           // of the rows in waiting
	urgent   bool          // a caller waits for them
	queued   uint64        // number of requests ever queued
	lastLazy uint64        // value of queued at the last lazy request
	lastName uint64        // and at the last one that may bring a key or names
	finished uint64        // number of requests the committer has finished
	progress chan struct{} // closed when finished changes; nil: no caller waits for that
	closed   bool
	lost     error // set once: wraps journal.ErrLost

	gone chan struct{} // closed when lost is set
	wake chan struct{} // for the committer
}

// New makes a queue. One goroutine, the committer, calls Next and Done in turn until the queue is closed.
func New(o Options) *Queue {
	q := &Queue{opts: o, gone: make(chan struct{}), wake: make(chan struct{}, 1)}
	q.hold = time.AfterFunc(time.Hour, q.Hurry)
	q.hold.Stop()
	return q
}

// Add appends a row to the queue, and waits while the queue is full. [Wait] gives the result. A lazy row has none,
// and may be stored already: then there is no request.
func (q *Queue) Add(ctx context.Context, r *journal.Row, d journal.Durability) (*Request, error) {
	req := newRequest(r, d)
	if err := q.add(ctx, req); err != nil {
		req.release()
		return nil, err
	}
	if d == journal.Lazy {
		return nil, nil
	}
	return req, nil
}

// Put adds a row, and waits for its result unless it is lazy.
func (q *Queue) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	req, err := q.Add(ctx, r, d)
	if req == nil {
		return err
	}
	return Wait(ctx, req)
}

// Do gives the committer a job, between the rows before it and those after it, and waits for its result.
func (q *Queue) Do(ctx context.Context, job func() error) error {
	req := &Request{Job: job, done: make(chan error, 1)}
	if err := q.add(ctx, req); err != nil {
		return err
	}
	select {
	case err := <-req.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue) add(ctx context.Context, req *Request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bytes := Size(&req.Row)
	q.mu.Lock()
	for {
		if err := q.writable(); err != nil {
			q.mu.Unlock()
			return err
		}
		if len(q.waiting) < q.opts.Rows && (q.bytes == 0 || q.bytes+bytes <= maxQueued) {
			break
		}
		if err := q.waitProgress(ctx); err != nil {
			return err
		}
	}
	first := len(q.waiting) == 0
	if req.Job == nil && q.opts.Enter != nil {
		q.opts.Enter(req)
	}
	q.waiting = append(q.waiting, req)
	q.bytes += bytes
	q.queued++
	wake := false
	if req.Lazy {
		q.lastLazy = q.queued
		if req.Row.Version == 1 || len(req.Row.Names) > 0 {
			q.lastName = q.queued
		}
		if first {
			q.hold.Reset(q.opts.Hold)
		}
	} else {
		wake = !q.urgent
		q.urgent = true
	}
	q.mu.Unlock()
	if wake {
		q.Wake()
	}
	return nil
}

// Usable returns an error if the journal is lost or closed.
func (q *Queue) Usable() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.usable()
}

// Writable is Usable, and an error for a journal that takes no rows.
func (q *Queue) Writable() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.writable()
}

func (q *Queue) usable() error {
	switch {
	case q.lost != nil:
		return q.lost
	case q.closed:
		return journal.ErrClosed
	}
	return nil
}

func (q *Queue) writable() error {
	if err := q.usable(); err != nil {
		return err
	}
	return q.opts.ReadOnly
}

// waitProgress waits until the committer has finished a group. The caller holds the mutex.
// waitProgress returns with the mutex held, except when it returns an error.
func (q *Queue) waitProgress(ctx context.Context) error {
	if q.progress == nil {
		q.progress = make(chan struct{})
	}
	progress := q.progress
	q.mu.Unlock()
	q.Hurry()
	select {
	case <-progress:
		q.mu.Lock()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hurry makes the committer take the queue without waiting for Options.Hold.
func (q *Queue) Hurry() {
	q.mu.Lock()
	q.urgent = true
	q.mu.Unlock()
	q.Wake()
}

// Wake makes the committer look, though no row may wait.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// WaitLazy waits until every lazy row is stored, so that reads find each row whose Put has
// returned. Synced rows are stored when Put returns.
func (q *Queue) WaitLazy(ctx context.Context) error {
	return q.waitFor(ctx, func() uint64 { return q.lastLazy })
}

// WaitNamed is WaitLazy of the rows that may bring a key or names.
func (q *Queue) WaitNamed(ctx context.Context) error {
	return q.waitFor(ctx, func() uint64 { return q.lastName })
}

// waitFor waits until the request with a number is finished. The number is read with the mutex held.
func (q *Queue) waitFor(ctx context.Context, number func() uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	target := number()
	for {
		if err := q.usable(); err != nil {
			q.mu.Unlock()
			return err
		}
		if q.finished >= target {
			q.mu.Unlock()
			return nil
		}
		if err := q.waitProgress(ctx); err != nil {
			return err
		}
	}
}

// Next waits until the committer has something to do, and takes what waits. closed: this is the last group.
func (q *Queue) Next() (group []*Request, closed bool) {
	<-q.wake
	runtime.Gosched() // a goroutine that is about to put a row may still join the group: a commit costs more than most rows
	q.mu.Lock()
	defer q.mu.Unlock()
	group = q.waiting
	q.waiting, q.bytes, q.urgent = q.spare, 0, false
	q.spare = nil
	return group, q.closed
}

// Done says that a group from Next is finished. Each of its requests has its result.
func (q *Queue) Done(group []*Request) {
	n := len(group)
	clear(group)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finished += uint64(n)
	q.spare = group[:0]
	if q.progress != nil {
		close(q.progress)
		q.progress = nil
	}
}

// Lost returns a channel that is closed when the journal is lost.
func (q *Queue) Lost() <-chan struct{} { return q.gone }

// CheckLost returns err. Once an error was journal.ErrLost, it returns that one for ever: after a takeover no row may be written.
func (q *Queue) CheckLost(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost == nil && errors.Is(err, journal.ErrLost) {
		q.lost = err
		close(q.gone)
	}
	if q.lost != nil {
		return q.lost
	}
	return err
}

// IfOpen calls f unless the queue is closed, which waits for f.
func (q *Queue) IfOpen(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		f()
	}
}

// Close refuses further requests, and reports whether it was the first to do so. After Hurry the committer takes the last group.
func (q *Queue) Close() (first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first = !q.closed
	q.closed = true
	return first
}
