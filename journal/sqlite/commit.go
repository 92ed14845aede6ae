package sqlite

import (
	"errors"

	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// commit is the committer goroutine. It takes the queue, stores it, and sends each waiting
// caller its result.
func (j *Journal) commit() {
	for {
		group, closed := j.queue.Next()
		err := j.storeAll(group)
		if !closed && !j.settling && j.writes.behind.Load() {
			j.settling = true
			j.settles.Reset(pendingFor)
		}
		j.queue.Done(group)
		if closed {
			j.done <- j.queue.CheckLost(err)
			return
		}
	}
}

// storeAll stores the rows before each job in one transaction, and runs each job in its own.
// It returns the errors of whole transactions, not those of single rows.
func (j *Journal) storeAll(group []*rowqueue.Request) error {
	var errs []error
	for len(group) > 0 {
		if job := group[0]; job.Job != nil {
			job.FinishJob(j.runJob(job.Job))
			group = group[1:]
			continue
		}
		end := 0
		for end < len(group) && group[end].Job == nil {
			end++
		}
		errs = append(errs, j.storeRows(group[:end]))
		group = group[end:]
	}
	return errors.Join(errs...)
}

func (j *Journal) runJob(job func() error) error {
	if err := j.queue.CheckLost(nil); err != nil {
		return err
	}
	return j.queue.CheckLost(job())
}

func (j *Journal) storeRows(rows []*rowqueue.Request) error {
	err := j.queue.CheckLost(nil)
	if err == nil {
		err = j.queue.CheckLost(j.writes.store(rows))
	}
	rowqueue.Finish(rows, err)
	return err
}

// Lost returns a channel that is closed when the journal is lost: from then on all calls fail with [journal.ErrLost], and the process
// can do nothing but end. It is noticed at a write. Where the file was deleted, do not begin an empty one: every paid key would be free in it.
func (j *Journal) Lost() <-chan struct{} { return j.queue.Lost() }
