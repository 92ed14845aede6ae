package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"strings"

	"github.com/recourse-pay/recourse/journal"
)

const (
	maxQueued      = 64 << 20  // bytes that may wait for the committer
	maxQueuedRows  = 4096      // rows that may
	maxRow         = 256 << 20 // PostgreSQL allows about a gigabyte, but a group must fit into memory
	maxListed      = 2600      // bytes of what stands in the index of lists, which takes a little more
	firstYear      = -4000     // of a time; PostgreSQL has a few more
	lastYear       = 290_000
	maxPooledState = 16 << 10 // larger buffers are not pooled, so that they do not stay in memory
)

// request is a row that waits for its commit.
type request struct {
	row  journal.Row // Names, State and Tombstone are copies
	lazy bool
	err  error
	done chan error // buffered: the committer must not wait for a caller
}

var requests = sync.Pool{New: func() any { return &request{done: make(chan error, 1)} }}

// newRequest copies a row: the caller may change its own after Put, and Put may return before the commit.
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
	r.err = nil
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

// check returns an error for a row that PostgreSQL would not store as it is.
func check(r *journal.Row) error {
	if err := r.Check(); err != nil {
		return err
	}
	if n := rowSize(r); n > maxRow {
		return fmt.Errorf("postgres: the row of %s has %d bytes; at most %d are stored", r.ID, n, maxRow)
	}
	if n := len(r.ID) + len(r.Key.Merchant) + len(r.Provider) + len(r.Standing); n > maxListed {
		return fmt.Errorf("postgres: Row.ID, Key.Merchant, Provider and Standing have %d bytes together; at most %d are stored", n, maxListed)
	}
	for _, at := range []struct {
		field string
		time  time.Time
	}{{"Due", r.Due}, {"At", r.At}, {"Since", r.Since}} {
		if y := at.time.Year(); y < firstYear || y > lastYear {
			return fmt.Errorf("postgres: Row.%s is in the year %d; the years %d to %d are stored", at.field, y, firstYear, lastYear)
		}
	}
	for _, t := range []struct{ field, text string }{
		{"ID", r.ID}, {"Key.Merchant", r.Key.Merchant}, {"Key.Payment", r.Key.Payment}, {"Provider", r.Provider}, {"Standing", r.Standing},
	} {
		if !utf8.ValidString(t.text) || strings.ContainsRune(t.text, 0) {
			return fmt.Errorf("postgres: Row.%s is %q; it must be UTF-8 without zero bytes, for PostgreSQL stores no other text", t.field, t.text)
		}
	}
	return nil
}

// Put stores a row in the group of the next commit; see [journal.Journal]. A row of an open flow makes this process
// the flow's owner. It is refused with [journal.ErrConflict] while another process holds the flow. While the
// database does not answer, Put waits.
func (j *Journal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := check(r); err != nil {
		return err
	}
	req := newRequest(r, d)
	if err := j.enqueue(ctx, req); err != nil {
		req.release()
		return err
	}
	if d == journal.Lazy {
		return nil
	}
	select {
	case err := <-req.done:
		req.release()
		return err
	case <-ctx.Done(): // the committer still uses the request
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
		if len(j.queue) < maxQueuedRows && (j.bytes == 0 || j.bytes+bytes <= maxQueued) {
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

// waitProgress waits until the committer has finished a group. The caller holds the mutex. waitProgress returns with
// the mutex held, except when it returns an error.
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

// waitLazy waits until every lazy row is stored, so that reads find each row whose Put has returned.
func (j *Journal) waitLazy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	target := j.lastLazy
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

// commit is the committer goroutine. It takes the queue, stores it, and sends each waiting caller its result. There is
// one, so rows are stored in the order of their puts.
func (j *Journal) commit() {
	var spare []*request
	for {
		<-j.wake
		j.mu.Lock()
		group, closed := j.queue, j.closed
		j.queue, j.bytes, j.urgent = spare, 0, false
		j.mu.Unlock()

		done := len(group)
		err := j.checkLost(nil)
		switch idle := j.idle.Swap(false); {
		case err != nil:
		case done > 0:
			err = j.checkLost(j.store(group))
		case idle && !closed:
			err = j.checkLost(j.storeGroup(nil))
			j.report(err)
		}
		for _, r := range group {
			if err != nil {
				r.err = err
			}
			if r.lazy {
				r.release()
			} else {
				r.done <- r.err // the caller owns r from here on
			}
		}
		j.mu.Lock()
		j.finished += uint64(done)
		if j.progress != nil {
			close(j.progress)
			j.progress = nil
		}
		j.mu.Unlock()
		if closed {
			j.done <- err
			return
		}
		clear(group)
		spare = group[:0]
	}
}

// checkLost returns err. Once an error was journal.ErrLost, it returns that one for ever.
func (j *Journal) checkLost(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost == nil && isLost(err) {
		j.lost = err
		close(j.gone)
	}
	if j.lost != nil {
		return j.lost
	}
	return err
}

// Lost returns a channel that is closed when the journal is lost: from then on all calls fail with [journal.ErrLost], and the process
// can do nothing but end. One that only waits notices it within its lease, too.
func (j *Journal) Lost() <-chan struct{} { return j.gone }

// pause waits before the next try: a little at first, a second at most. It is false when the journal is closed.
func (j *Journal) pause(try int) bool {
	t := time.NewTimer(min(time.Second, 5*time.Millisecond<<min(try, 10)))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-j.life.Done():
		return false
	}
}
