package rowqueue

import (
	"context"
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/journal"
)

// Request is one task of the committer: a row to store, or a job.
type Request struct {
	Row  journal.Row // a copy
	Lazy bool
	New  bool         // its flow, and its key, are certainly in no row before it; the journal's
	Job  func() error // instead of a row
	Err  error        // why the row is refused; the committer's

	done chan error // buffered: the committer must not wait for a caller
}

var requests = sync.Pool{New: func() any { return &Request{done: make(chan error, 1)} }}

// newRequest copies a row. The caller may change its row after Put returns, and Put may
// return before the commit: a lazy row, or a context that ends.
func newRequest(r *journal.Row, d journal.Durability) *Request {
	req := requests.Get().(*Request)
	names, state, tombstone := req.Row.Names[:0], req.Row.State[:0], req.Row.Tombstone[:0]
	req.Row = *r
	req.Row.Names = append(names, r.Names...)
	req.Row.State = append(state, r.State...)
	req.Row.Tombstone = append(tombstone, r.Tombstone...)
	req.Row.Seen = slices.Clone(r.Seen)
	req.Lazy = d == journal.Lazy
	return req
}

func (r *Request) release() {
	r.Err, r.New = nil, false
	if cap(r.Row.State) <= maxPooledState {
		requests.Put(r)
	}
}

// Finish gives rows their results, or the same error to all of them. No caller waits for a lazy one. They are not the committer's any more.
func Finish(rows []*Request, whole error) {
	for _, r := range rows {
		if whole != nil {
			r.Err = whole
		}
		if r.Lazy {
			r.release()
		} else {
			r.done <- r.Err
		}
	}
}

// FinishJob gives a job its result.
func (r *Request) FinishJob(err error) { r.done <- err }

// Wait returns the result of a row that is not lazy. If ctx ends first, the request is not released: the committer still uses it.
func Wait(ctx context.Context, req *Request) error {
	select {
	case err := <-req.done:
		req.release()
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Size estimates the bytes that a row takes in memory.
func Size(r *journal.Row) int {
	n := len(r.State) + len(r.Tombstone) + len(r.ID) + len(r.Provider) + len(r.Key.Merchant) + len(r.Key.Payment) + 256
	for _, name := range r.Names {
		n += len(name)
	}
	return n
}
