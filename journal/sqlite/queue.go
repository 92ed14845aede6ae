package sqlite

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// Put stores a row in the group of the next commit; see [journal.Journal].
func (j *Journal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := r.Check(); err != nil {
		return err
	}
	if n := rowqueue.Size(r); n > rowqueue.MaxRow {
		return fmt.Errorf("sqlite: the row of %s has %d bytes; at most %d are stored", r.ID, n, rowqueue.MaxRow)
	}
	return j.queue.Put(ctx, r, d)
}

// enter adds a row to what is known, when it gets its place in the queue: what is new then, no row before it has.
func (k *known) enter(r *rowqueue.Request) { r.New = k.add(&r.Row) }

// run queues a job for the committer and waits for its result.
func (j *Journal) run(ctx context.Context, job func(*writer) error) error {
	return j.queue.Do(ctx, func() error { return job(j.writes) })
}

// ask is run for a job with a result. When ctx ends, run returns before the job, which writes its result later: nothing of the caller's.
func ask[T any](ctx context.Context, j *Journal, job func(*writer) (T, error)) (result T, err error) {
	var got T
	if err := j.run(ctx, func(w *writer) (err error) {
		got, err = job(w)
		return err
	}); err != nil {
		return result, err
	}
	return got, nil
}
