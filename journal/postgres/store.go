package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// A group of rows is one transaction, and its first statement counts it in the row of this process:
//
//	UPDATE owner SET written = n WHERE token = mine AND written = n-1
//
// So a group is stored once at most, whatever happens to the connection. When the answer to the COMMIT is lost, the
// committer reads that row FOR UPDATE on another connection, which waits while the COMMIT is still going on: with n
// the group is stored, with n-1 it is not and never will be. Nothing is sent before that is known. With any other
// number the database has lost commits that it had acknowledged, or another program wrote the row: the journal is lost.

// store stores a group of rows. The reason for a refused row goes into its request. An error means that no row was
// stored, or that the journal is lost. While the database does not answer it tries again, until the journal is closed.
func (j *Journal) store(rows []*rowqueue.Request) error {
	if rows = j.withoutBlocked(rows); len(rows) == 0 {
		return nil
	}
	err := j.storeGroup(rows)
	if (len(rows) > 1 || len(j.gaps) > 0) && (unstorable(err) || blocked(err)) {
		return j.storeAlone(rows)
	}
	j.refused(rows, err)
	return err
}

// storeAlone stores each row of a group in a transaction of its own. One of them cannot be stored, or waits for a
// transaction of another program, which may stay open for minutes: it must not keep the others, nor the lease.
func (j *Journal) storeAlone(rows []*rowqueue.Request) error {
	j.apart = true
	defer func() { j.apart = false }()
	for i := range rows {
		err := j.storeGroup(rows[i : i+1])
		j.refused(rows[i:i+1], err)
		if isLost(err) {
			return err
		}
		if err != nil {
			rows[i].Err = err
		}
	}
	return nil
}

// refused notes what follows for later rows from rows that were not stored.
func (j *Journal) refused(rows []*rowqueue.Request, err error) {
	if err == nil {
		return
	}
	j.leaveGaps(rows)
	if blocked(err) {
		j.blocked[blockedBy(rows[0])] = time.Now().Add(4 * j.lockPatience())
	}
}

// withoutBlocked refuses the rows for which a row waited in vain a moment ago: each would keep the others waiting again.
func (j *Journal) withoutBlocked(rows []*rowqueue.Request) []*rowqueue.Request {
	if len(j.blocked) == 0 {
		return rows
	}
	now, free := time.Now(), make([]*rowqueue.Request, 0, len(rows))
	maps.DeleteFunc(j.blocked, func(_ string, until time.Time) bool { return now.After(until) })
	for i, r := range rows {
		if _, is := j.blocked[blockedBy(r)]; !is {
			free = append(free, r)
			continue
		}
		r.Err = fmt.Errorf("postgres: nothing was stored: a transaction of another program that has not ended holds %s", r.Row.Key)
		j.leaveGaps(rows[i : i+1])
	}
	return free
}

// blockedBy is what a transaction may hold that keeps the row waiting: the key of a first row, or else the flow.
func blockedBy(r *rowqueue.Request) string {
	if r.Row.Version == 1 {
		return string(digest(r.Row.Key))
	}
	return r.Row.ID
}

// lockPatience is how long a row waits for a transaction of another program. It is well within the lease, which is not
// prolonged meanwhile.
func (j *Journal) lockPatience() time.Duration {
	return min(j.opts.Lease/6, 500*time.Millisecond)
}

// storeGroup stores rows in one transaction, or none of them. A commit of which it is not known whether the standbys have it
// too is followed by one without rows: that waits for all that was written before it.
func (j *Journal) storeGroup(rows []*rowqueue.Request) error {
	for try := 0; ; try++ {
		stored, retry, err := j.tryStore(rows)
		if stored {
			j.written++
			j.groups.Store(j.written)
			j.dropGaps(rows)
			if j.alone {
				j.alone = false
				rows = nil
				continue
			}
			return nil
		}
		if blocked(err) && len(rows) > 0 {
			return fmt.Errorf("postgres: nothing was stored: a transaction of another program that has not ended holds %s: %w", rows[0].Row.Key, err)
		}
		if !retry && len(rows) == 0 {
			return fmt.Errorf("postgres: the journal cannot write: %w", err)
		}
		if !retry {
			return fmt.Errorf("postgres: nothing was stored: %w", err)
		}
		if try == reportAfter {
			j.report(fmt.Errorf("postgres: rows wait for the database: %w", err))
		}
		if !j.pause(try) {
			return fmt.Errorf("postgres: closed before the rows could be stored: %w", err)
		}
	}
}

// reportAfter is the number of failed tries after which the cause is reported.
const reportAfter = 8

// tryStore is one try to store a group. It does not return before it is known whether the group is stored. retry says
// that another try may succeed.
func (j *Journal) tryStore(rows []*rowqueue.Request) (stored, retry bool, err error) {
	c, err := j.pool.Acquire(j.life)
	if err != nil {
		return false, true, err
	}
	defer c.Release() // a connection in a transaction is closed by it
	g := &group{j: j, rows: rows}
	defer func() {
		if stored {
			j.timeline, j.last = g.timeline, time.Now()
		}
	}()
	err = g.write(j.life, c.Conn())
	if errors.Is(err, errMiscounted) {
		rollback(j.life, c.Conn())
		err = j.miscounted()
		return false, !isLost(err), err
	}
	if err != nil {
		retry = again(err) || c.Conn().IsClosed()
		rollback(j.life, c.Conn())
		if readOnly(err) { // the next connection is to another server, or to none
			j.pool.Reset()
		}
		return false, retry, err
	}
	j.committing.Store(c.Conn().PgConn())
	err = commit(j.life, c.Conn())
	j.alone = j.committing.Swap(nil) == nil
	switch {
	case err == nil:
		if j.alone {
			j.report(errors.New("postgres: the wait of a commit for the standby was broken off by someone; the journal commits again before it goes on"))
		}
		return true, false, nil
	case aborted(err), errors.Is(err, pgx.ErrTxCommitRollback), pgconn.SafeToRetry(err):
		rollback(j.life, c.Conn())
		return false, true, err
	}
	if stored, err = readBack(j, err); !stored {
		return false, !isLost(err), err
	}
	return true, false, nil
}

// noticed sees the server's warnings. The one at a COMMIT is that it was not waited for the standbys: the transaction is
// committed where a failover may lose it.
func (j *Journal) noticed(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		j.committing.CompareAndSwap(c, nil)
	}
}

// readBack finds out whether a group is stored whose COMMIT has no answer. A variable, for the test that shows that
// it is needed.
var readBack = (*Journal).readBack

func (j *Journal) readBack(unclear error) (stored bool, err error) {
	// The connections of the pool were to a server that may be gone: they would fail one by one.
	j.pool.Reset()
	for try := 0; ; try++ {
		var n int64
		err := j.pool.QueryRow(j.life, j.sql.written, j.token).Scan(&n)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return false, j.unknown()
		case err == nil && n == j.written+1:
			j.alone = true // after a crash the server does not wait for the standbys again
			return true, nil
		case err == nil && n == j.written:
			return false, unclear
		case err == nil:
			return false, j.wrongCount(n)
		}
		if try == reportAfter {
			j.report(fmt.Errorf("postgres: it is not known whether rows are stored, and the database does not answer: %w", err))
		}
		if !j.pause(try) {
			return false, fmt.Errorf("postgres: closed before it was known whether the rows are stored: %w", err)
		}
	}
}

// unknown is the error of a process that the database does not know. Unless its row was deleted for its age, the database
// has gone back to before that.
func (j *Journal) unknown() error {
	if time.Since(j.last) < forgotten-24*time.Hour {
		j.noteLoss(fmt.Sprintf("it does not know a process that had committed %d groups of rows", j.written))
	}
	return lostError("the database does not know this process any more, as a backup does that was restored")
}

// forgotten is how long after its lease the row of a process is deleted.
const forgotten = 7 * 24 * time.Hour

func (j *Journal) wrongCount(n int64) error {
	if n < 0 {
		return lostError("the database was restored, and opened with Options.Restored")
	}
	if n < j.written {
		j.noteLoss(fmt.Sprintf("a process had committed %d groups of rows, of which it knows %d", j.written, n))
	}
	return lostError(fmt.Sprintf("this process has committed %d groups of rows, and the database says %d: it has lost commits that it had acknowledged, as a standby does that was promoted without them, or a backup that was restored", j.written, n))
}

// miscounted says why a group could not be counted.
func (j *Journal) miscounted() error {
	var n int64
	switch err := j.pool.QueryRow(j.life, j.sql.written, j.token).Scan(&n); {
	case errors.Is(err, pgx.ErrNoRows):
		return j.unknown()
	case err != nil:
		return err
	case n != j.written:
		return j.wrongCount(n)
	}
	var why string
	if err := j.pool.QueryRow(j.life, j.sql.lost).Scan(&why); err != nil {
		return err
	}
	if why != "" {
		return lostError("the database has lost commits that it had acknowledged: " + why)
	}
	return errChanged
}

// commit ends a transaction. An answer that is not COMMIT says that nothing was stored.
func commit(ctx context.Context, c *pgx.Conn) error {
	tag, err := c.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		return pgx.ErrTxCommitRollback
	}
	return err
}

// rollback ends a transaction, so that its connection may be used again.
func rollback(ctx context.Context, c *pgx.Conn) {
	if !c.IsClosed() {
		_, _ = c.Exec(ctx, "ROLLBACK") // if it fails, the pool closes the connection
	}
}

// ownGaps reports whether a group writes the gaps of its own flows only: that of another may be what it waits for.
func (j *Journal) ownGaps(rows []*rowqueue.Request) bool { return j.apart || len(rows) == 0 }

// dropGaps forgets the gaps that a group has written.
func (j *Journal) dropGaps(rows []*rowqueue.Request) {
	if !j.ownGaps(rows) {
		clear(j.gaps)
		return
	}
	for _, r := range rows {
		delete(j.gaps, r.Row.ID)
	}
}

// leaveGaps notes the lazy rows that are lost: their writers have nil from Put, so no other row may get their
// versions. With the next group the versions become gaps.
func (j *Journal) leaveGaps(rows []*rowqueue.Request) {
	for _, r := range rows {
		if r.Lazy {
			j.gaps[r.Row.ID] = max(j.gaps[r.Row.ID], r.Row.Version+1)
		}
	}
}
