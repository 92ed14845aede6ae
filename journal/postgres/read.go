package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/journal"
)

// readTries is how often a read is tried. After a restart of the server the pool's connections fail one by one.
const readTries = 3

// Get returns the row of a flow; see [journal.Journal].
func (j *Journal) Get(ctx context.Context, id string) (journal.Row, error) {
	rows, err := j.read(ctx, j.sql.get, id)
	if err != nil {
		return journal.Row{}, err
	}
	if len(rows) == 0 {
		return journal.Row{}, fmt.Errorf("%w: %s", journal.ErrNotFound, id)
	}
	return rows[0], nil
}

// ByKey returns every flow of a key; see [journal.Journal].
func (j *Journal) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	return j.look(ctx, &j.keys, digest(k))
}

// Named returns the flows that have one of the names; see [journal.Journal].
func (j *Journal) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	if len(names) == 0 {
		return nil, j.queue.WaitLazy(ctx)
	}
	hashes := make([][]byte, len(names))
	for i, name := range names {
		hashes[i] = nameHash(provider, name)
	}
	return j.look(ctx, &j.names, hashes...)
}

// Due returns the rows that are due, whoever holds them; see [journal.Journal] and [Journal.Claim].
func (j *Journal) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	return j.read(ctx, j.sql.due, by, after.Due, after.ID, max(limit, 0))
}

// read runs a query after the lazy rows are stored.
func (j *Journal) read(ctx context.Context, query string, args ...any) ([]journal.Row, error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	return retried(ctx, j, func() ([]journal.Row, error) {
		found, err := j.pool.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(found, func(row pgx.CollectableRow) (journal.Row, error) { return scanRow(row) })
	})
}

// retried runs what may be run again. It ends with ctx, or when the journal is closed.
func retried[T any](ctx context.Context, j *Journal, f func() (T, error)) (none T, err error) {
	for try := range readTries {
		value, failed := f()
		if failed == nil || errors.Is(failed, journal.ErrNotFound) {
			return value, failed
		}
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		if err := j.queue.Usable(); err != nil {
			return none, err
		}
		err = failed
		if !transient(failed) {
			break
		}
		if try == 0 {
			j.pool.Reset()
		}
		if !j.pause(try + 2) {
			break
		}
	}
	return none, fmt.Errorf("postgres: %w", err)
}

// scanRow reads one row. A row whose operation is unknown is damaged, and the rows beside it are read as ever.
func scanRow(found pgx.Row, more ...any) (r journal.Row, err error) {
	var operation string
	var names [][]byte
	var due *time.Time
	into := append([]any{
		&r.ID, &r.Version, &r.Key.Merchant, &operation, &r.Key.Payment, &r.Provider, &names, &r.Open, &due, &r.At, &r.State, &r.Standing, &r.Since,
	}, more...)
	if err := found.Scan(into...); err != nil {
		return r, err
	}
	if err := r.Key.Operation.UnmarshalText([]byte(operation)); err != nil {
		r.Damaged = fmt.Errorf("the row in the journal is damaged: %w", err)
	}
	for _, name := range names {
		r.Names = append(r.Names, string(name))
	}
	if due != nil {
		r.Due = due.UTC()
	}
	r.At, r.Since = r.At.UTC(), r.Since.UTC()
	return r, nil
}
