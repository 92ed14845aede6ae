package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

const (
	maxQueuedRows = 4096  // that may wait for the committer
	maxListed     = 2600  // bytes of what stands in the index of lists, which takes a little more
	firstYear     = -4000 // of a time; PostgreSQL has a few more
	lastYear      = 290_000
)

// check returns an error for a row that PostgreSQL would not store as it is.
func check(r *journal.Row) error {
	if err := r.Check(); err != nil {
		return err
	}
	if n := rowqueue.Size(r); n > rowqueue.MaxRow {
		return fmt.Errorf("postgres: the row of %s has %d bytes; at most %d are stored", r.ID, n, rowqueue.MaxRow)
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
	return j.queue.Put(ctx, r, d)
}

// commit is the committer goroutine. It takes the queue, stores it, and sends each waiting caller its result. There is
// one, so rows are stored in the order of their puts.
func (j *Journal) commit() {
	for {
		group, closed := j.queue.Next()
		err := j.queue.CheckLost(nil)
		switch idle := j.idle.Swap(false); {
		case err != nil:
		case len(group) > 0:
			err = j.queue.CheckLost(j.store(group))
		case idle && !closed:
			err = j.queue.CheckLost(j.storeGroup(nil))
			j.report(err)
		}
		rowqueue.Finish(group, err)
		j.queue.Done(group)
		if closed {
			j.done <- err
			return
		}
	}
}

// Lost returns a channel that is closed when the journal is lost: from then on all calls fail with [journal.ErrLost], and the process
// can do nothing but end. One that only waits notices it within its lease, too.
func (j *Journal) Lost() <-chan struct{} { return j.queue.Lost() }

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
