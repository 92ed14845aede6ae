package postgres

import (
	"context"
	"fmt"
	"time"
)

// pruneStep is the number of rows deleted in one transaction: locks are held for moments only.
const pruneStep = 500

// Prune deletes old rows, or leaves their tombstones, 500 in a transaction; see [journal.Journal]. Several processes
// may prune at once: a row that one of them has in hand is left to it.
func (j *Journal) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	if err := j.queue.WaitLazy(ctx); err != nil {
		return 0, err
	}
	if j.opts.ReadOnly {
		return 0, errReadOnly
	}
	for {
		var n int
		if err := j.pool.QueryRow(ctx, j.sql.prune, before, pruneStep).Scan(&n); err != nil {
			if ctx.Err() != nil {
				return total, ctx.Err()
			}
			return total, fmt.Errorf("postgres: %w", err)
		}
		total += n
		if n < pruneStep {
			return total, nil
		}
	}
}
