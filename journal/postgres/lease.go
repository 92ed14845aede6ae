package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/journal"
)

// A process that puts a row of an open flow holds the flow from then on, until the flow ends, the process closes its
// journal, or its lease ends. The lease is one row for the process and not one for each flow: it is prolonged by one
// small write in a third of its time, however many flows there are.
//
// The lease spares work; it is not what keeps a payment from being sent twice. That is the version of the row, which
// each write compares, and the deadline of a call, which stands in the row before the call is made.

// beat prolongs the lease. Each group does that; a process that has none to store stores one without rows. It is
// counted as any other, so a process that only waits notices too when the database has lost commits.
func (j *Journal) beat() {
	tick := time.NewTicker(j.opts.Lease / 6) // so that at most a third passes without a group
	defer tick.Stop()
	last, missed := int64(0), 0
	for {
		select {
		case <-j.life.Done():
			return
		case <-tick.C:
		}
		now := j.groups.Load()
		if now != last {
			last, missed = now, 0
			continue
		}
		if missed++; missed == 7 { // the lease has ended
			j.report(errors.New("postgres: the lease of this process cannot be prolonged, and others may take its flows over: the database does not answer"))
		}
		j.idle.Store(true)
		j.queue.Wake()
	}
}

// Claim is [Journal.Due] of the rows that no other living process holds, and makes this process their owner. Rows that
// two processes claim at once go to one of them. Once in a lease it also returns rows that this process holds and that are
// overdue by a lease: it may have forgotten them.
func (j *Journal) Claim(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	if j.opts.ReadOnly {
		return nil, errReadOnly
	}
	// A claim that had no answer may have been made: such rows are found when they are overdue.
	rows, err := j.read(ctx, j.sql.claim, j.token, by, after.Due, after.ID, j.overdue(after == journal.Cursor{}), max(limit, 0))
	slices.SortFunc(rows, func(a, b journal.Row) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return rows, err
}

// overdue is how late a row of this process is that it may have forgotten. A process that has more to do than it can would
// otherwise be given the same rows in every sweep. A sweep begins at first.
func (j *Journal) overdue(first bool) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if first {
		now := time.Now()
		if j.searches = now.Sub(j.searched) >= j.opts.Lease; j.searches {
			j.searched = now
		}
	}
	if j.searches {
		return j.opts.Lease
	}
	return never
}

// never is longer than any row waits.
const never = 200 * 365 * 24 * time.Hour

// Take returns the row of a flow, or [journal.ErrNotFound]. If the flow is open and no other living process holds it,
// this process does from then on; else held is true.
func (j *Journal) Take(ctx context.Context, id string) (r journal.Row, held bool, err error) {
	if j.opts.ReadOnly {
		return r, false, errReadOnly
	}
	if err := j.queue.WaitLazy(ctx); err != nil {
		return r, false, err
	}
	r, err = retried(ctx, j, func() (journal.Row, error) {
		r, err := scanRow(j.pool.QueryRow(ctx, j.sql.take, j.token, id), &held)
		if errors.Is(err, pgx.ErrNoRows) {
			err = fmt.Errorf("%w: %s", journal.ErrNotFound, id)
		}
		return r, err
	})
	return r, held, err
}

// GiveUp lets other processes take a flow over that this process holds.
func (j *Journal) GiveUp(ctx context.Context, id string) error {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return err
	}
	if j.opts.ReadOnly {
		return errReadOnly
	}
	if _, err := j.pool.Exec(ctx, j.sql.giveUp, j.token, id); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
