package river

import (
	"context"
	"errors"
	"fmt"
	"time"

	queue "github.com/riverqueue/river"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
)

const (
	// stay is how long a job stays with a flow that goes on, so that most end within one run. Until then it takes one of
	// the places of QueueConfig.MaxWorkers.
	stay = 500 * time.Millisecond
	// grace is how long after its time a flow is looked at: the process that holds it does the work meanwhile.
	grace = 100 * time.Millisecond
	// again is after how long a job looks again at the earliest.
	again = time.Second
	// mostAgain is after how long it does so at the latest if its flow is overdue, as one that a breaker holds.
	mostAgain = time.Minute
	// longest is after how long it does so if the flow is not.
	longest = time.Hour
	// patience is how long one run may take. No call of a provider is made in it.
	patience = 10 * time.Second
)

// Worker works the jobs of flows for a River client. The executor is one with that journal, and Config.Clients has the
// providers' clients. A job does what the executor's sweep does, for one flow: when the flow is due and no other
// living process holds it, the executor takes it over.
func Worker(x *executor.Executor, flows journal.Journal) queue.Worker[Args] {
	return &worker{x: x, flows: flows}
}

type worker struct {
	queue.WorkerDefaults[Args]
	x     *executor.Executor
	flows journal.Journal
}

// Work looks at the flow. It returns nil only when the flow has ended: River does not fence, so what is returned here
// may be taken for the answer of another run of the job.
func (w *worker) Work(ctx context.Context, job *queue.Job[Args]) error {
	flow, age := job.Args.Flow, time.Since(job.CreatedAt)
	row, err := w.read(ctx, flow)
	if err != nil || !row.Open {
		return err
	}
	if row.Due.After(time.Now()) { // held, or not: it is not time
		return snooze(&row, age)
	}
	h, err := w.x.Handle(ctx, flow)
	switch {
	case errors.Is(err, executor.ErrClosed): // another process goes on
		return queue.JobSnooze(again)
	case err != nil:
		return fmt.Errorf("river: flow %s is due and was not taken over: %w", flow, err)
	}
	brief, cancel := context.WithTimeout(ctx, stay)
	defer cancel()
	// The error is not for a job: it may hold what the provider's client said. The row says how the flow stands.
	_, _ = h.Wait(brief)
	if row, err = w.read(ctx, flow); err != nil || !row.Open {
		return err
	}
	return snooze(&row, age)
}

func (w *worker) read(ctx context.Context, flow string) (journal.Row, error) {
	row, err := w.flows.Get(ctx, flow)
	switch {
	case errors.Is(err, journal.ErrNotFound): // pruned, or the journal is another one
		return row, queue.JobCancel(fmt.Errorf("river: flow %s is not in the journal", flow))
	case errors.Is(err, journal.ErrClosed):
		return row, queue.JobSnooze(again)
	case err != nil:
		return row, fmt.Errorf("river: flow %s cannot be read: %w", flow, err)
	}
	return row, row.Damaged
}

// snooze is until the flow is due. A job looks earlier when it is twice as old: the flow may have ended by a webhook, or
// have got another time just after its row was read. An overdue flow is looked at when it is half as late again: the
// lease of a dead process runs out soon, and what a breaker holds may take hours.
func snooze(row *journal.Row, age time.Duration) error {
	left := time.Until(row.Due)
	if left <= 0 {
		return queue.JobSnooze(min(max(again, -left/2), mostAgain))
	}
	return queue.JobSnooze(min(left+grace, max(again, age), longest))
}

// NextRetry is a second later for each failed look, and a minute at most. It begins now: River takes a time that has
// passed for no answer, and waits for attempt⁴ seconds.
func (w *worker) NextRetry(job *queue.Job[Args]) time.Time {
	return time.Now().Add(time.Duration(min(max(job.Attempt, 1), 60)) * time.Second)
}

// Timeout is short whatever the client's JobTimeout is: a job waits for no call.
func (w *worker) Timeout(*queue.Job[Args]) time.Duration { return patience }
