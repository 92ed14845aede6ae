package river

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/executor"
)

const (
	// near is the longest wait whose job is inserted without a time. With one, however near, the job is a second to
	// five late; without one it runs at once, and snoozes until the moment.
	near = 5 * time.Second
	// insertPatience bounds an insert: the observers of a flow wait for it.
	insertPatience = 5 * time.Second
)

// Waker gives each flow that waits a job, unless it has one: a flow whose process dies then goes on when it is due, at
// whichever process works the job. A client that only inserts is enough (no Workers, no Queues), and it can be made
// before the executor. Each wait costs a commit. onError reports a job that was not inserted, which the flow does
// without; nil: it is dropped.
func Waker(client *queue.Client[pgx.Tx], onError func(error)) executor.Observer {
	return &waker{client: client, onError: onError}
}

type waker struct {
	executor.NoopObserver
	client  *queue.Client[pgx.Tx]
	onError func(error)
}

// Waiting implements [executor.Observer]. A wait that a breaker makes longer, each time that it is looked at, is no new one.
func (w *waker) Waiting(ctx context.Context, e *executor.WaitEvent) {
	if e.Held != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, insertPatience)
	defer cancel()
	if err := w.insert(ctx, e); err != nil && w.onError != nil {
		w.onError(fmt.Errorf("river: flow %s waits without a job: %w", e.Flow, err))
	}
}

func (w *waker) insert(ctx context.Context, e *executor.WaitEvent) error {
	p, until := e.Payment, e.Wait.Until.Add(grace)
	opts := &queue.InsertOpts{}
	if time.Until(until) > near {
		opts.ScheduledAt = until
	}
	args := newArgs(e.Flow, p.Operation, p.Provider, p.Merchant)
	inserted, err := w.client.Insert(ctx, args, opts)
	if err != nil {
		return err
	}
	job := inserted.Job
	late := job.State == rivertype.JobStateScheduled || job.State == rivertype.JobStateRetryable || job.State == rivertype.JobStateAvailable
	if inserted.UniqueSkippedAsDuplicate && late && job.ScheduledAt.After(until.Add(grace)) {
		_, err = w.client.JobRetry(ctx, job.ID) // now: it reads the row, and snoozes until the right moment
	}
	return err
}
