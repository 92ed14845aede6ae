package sqlite

import (
	"errors"

	"github.com/recourse-pay/recourse/journal"
)

// commit is the committer: it takes what is queued, stores it, and tells those who wait.
func (j *Journal) commit() {
	var spare []*request
	for {
		<-j.wake
		j.mu.Lock()
		group, closed := j.queue, j.closed
		j.queue, j.bytes, j.urgent = spare, 0, false
		j.mu.Unlock()

		done := len(group)
		err := j.storeAll(group)

		j.mu.Lock()
		j.stored += uint64(done)
		if j.turn != nil {
			close(j.turn)
			j.turn = nil
		}
		j.mu.Unlock()
		if closed {
			j.done <- j.lostTo(err)
			return
		}
		clear(group)
		spare = group[:0]
	}
}

// storeAll stores rows up to each job in one transaction, and does each job in its own.
// It returns the first error that was about more than a row.
func (j *Journal) storeAll(group []*request) error {
	var errs []error
	for len(group) > 0 {
		if group[0].job != nil {
			err := j.storeOne(group[0].job)
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

func (j *Journal) storeOne(job func(*writer) error) error {
	if err := j.lostTo(nil); err != nil {
		return err
	}
	return j.lostTo(job(j.writes))
}

func (j *Journal) storeRows(rows []*request) error {
	err := j.lostTo(nil)
	if err == nil {
		err = j.lostTo(j.writes.store(rows))
	}
	for _, r := range rows {
		if err != nil {
			r.err = err
		}
		if r.lazy {
			r.release()
		} else {
			r.done <- r.err // from here on it is the caller's again
		}
	}
	return err
}

// lostTo remembers for ever that the journal was lost, and returns that rather than err.
func (j *Journal) lostTo(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost == nil && errors.Is(err, journal.ErrLost) {
		j.lost = err
	}
	if j.lost != nil {
		return j.lost
	}
	return err
}
