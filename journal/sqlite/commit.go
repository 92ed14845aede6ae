package sqlite

import (
	"errors"
	"runtime"

	"github.com/recourse-pay/recourse/journal"
)

// commit is the committer goroutine. It takes the queue, stores it, and sends each waiting
// caller its result.
func (j *Journal) commit() {
	var spare []*request
	for {
		<-j.wake
		runtime.Gosched() // a goroutine that is about to put a row may still join the group: a commit costs more than most rows
		j.mu.Lock()
		group, closed := j.queue, j.closed
		j.queue, j.bytes, j.urgent = spare, 0, false
		j.mu.Unlock()

		done := len(group)
		err := j.storeAll(group)

		j.mu.Lock()
		j.finished += uint64(done)
		if j.progress != nil {
			close(j.progress)
			j.progress = nil
		}
		j.mu.Unlock()
		if closed {
			j.done <- j.checkLost(err)
			return
		}
		clear(group)
		spare = group[:0]
	}
}

// storeAll stores the rows before each job in one transaction, and runs each job in its own.
// It returns the errors of whole transactions, not those of single rows.
func (j *Journal) storeAll(group []*request) error {
	var errs []error
	for len(group) > 0 {
		if group[0].job != nil {
			err := j.runJob(group[0].job)
			group[0].done <- err
			group = group[1:]
			continue
		}
		end := 0
		for end < len(group) && group[end].job == nil {
			end++
		}
		errs = append(errs, j.storeRows(group[:end]))
		group = group[end:]
	}
	return errors.Join(errs...)
}

func (j *Journal) runJob(job func(*writer) error) error {
	if err := j.checkLost(nil); err != nil {
		return err
	}
	return j.checkLost(job(j.writes))
}

func (j *Journal) storeRows(rows []*request) error {
	err := j.checkLost(nil)
	if err == nil {
		err = j.checkLost(j.writes.store(rows))
	}
	for _, r := range rows {
		if err != nil {
			r.err = err
		}
		if r.lazy {
			r.release()
		} else {
			r.done <- r.err // the caller owns r from here on
		}
	}
	return err
}

// Lost returns a channel that is closed when the journal is lost: from then on all calls fail with [journal.ErrLost], and the process
// can do nothing but end. It is noticed at a write. Where the file was deleted, do not begin an empty one: every paid key would be free in it.
func (j *Journal) Lost() <-chan struct{} { return j.gone }

// checkLost returns err. Once an error was journal.ErrLost, it returns that one for ever: after
// a takeover no row may be written.
func (j *Journal) checkLost(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost == nil && errors.Is(err, journal.ErrLost) {
		j.lost = err
		close(j.gone)
	}
	if j.lost != nil {
		return j.lost
	}
	return err
}
