package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A webhook may come to any process. It is decoded there, and what it says is left in a row for the process that
// holds the flow, which looks for such rows several times a second. LISTEN would be a little sooner, and lost
// without a word behind a pooler or at a restart; NOTIFY in each commit makes all commits wait for each other.

// Leave stores a message for the process that holds a flow. It is stored when Leave returns.
func (j *Journal) Leave(ctx context.Context, id string, message []byte) error {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return err
	}
	if j.opts.ReadOnly {
		return errReadOnly
	}
	if _, err := j.pool.Exec(ctx, j.sql.leave, id, message); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// collectStep is the number of messages that are collected at a time.
const collectStep = 100

// Collect hands over the messages for flows that this process holds, or that no living process holds, in their
// order. A message for which apply returns nil is deleted. The others come again, later each time, also to another
// process. A message may come twice: when its process ends before it is deleted.
func (j *Journal) Collect(ctx context.Context, apply func(id string, message []byte) error) (n int, err error) {
	if err := j.queue.Writable(); err != nil {
		return 0, err
	}
	found, err := j.pool.Query(ctx, j.sql.collect, j.token, collectStep)
	if err != nil {
		return 0, fmt.Errorf("postgres: %w", err)
	}
	type message struct {
		n    int64
		id   string
		body []byte
	}
	all, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (m message, err error) {
		return m, row.Scan(&m.n, &m.id, &m.body)
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: %w", err)
	}
	slices.SortFunc(all, func(a, b message) int { return cmp.Compare(a.n, b.n) })
	var over []int64
	var errs []error
	for _, m := range all {
		if err := apply(m.id, m.body); err != nil {
			errs = append(errs, err)
			continue
		}
		over = append(over, m.n)
	}
	if len(over) > 0 {
		if _, err := j.pool.Exec(ctx, j.sql.drop, over); err != nil {
			errs = append(errs, fmt.Errorf("postgres: %w", err))
		}
	}
	return len(over), errors.Join(errs...)
}
