package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse-pay/recourse/journal"
)

// PutTx stores the first row of a flow in a transaction of the caller's: an order and its payment are committed together
// or not at all. No process holds the flow then. After the commit it is taken over by the executor that is asked for
// it by its id, or by the first one that sweeps. Whether the commit succeeded need not be known: the row says it.
//
// If another flow of the key is open the error is a [*journal.OpenError], and the transaction can go on. Two
// transactions that open one key wait for each other: the second has its answer when the first has ended.
func (j *Journal) PutTx(ctx context.Context, tx pgx.Tx, r *journal.Row) error {
	if err := check(r); err != nil {
		return err
	}
	if err := j.queue.Writable(); err != nil {
		return err
	}
	if r.Version != 1 || !r.Open {
		return fmt.Errorf("postgres: PutTx takes the first row of an open flow, not version %d of %s", r.Version, r.ID)
	}
	var u updates
	f := &stored{id: r.ID, key: r.Key, digest: digest(r.Key), provider: r.Provider, names: distinct(r.Names), version: 1, last: r}
	u.add(f)
	var none *string
	// The pool may be the caller's, with another mode.
	tag, err := tx.Exec(ctx, j.sql.insert, pgx.QueryExecModeExec, none, u.id, u.version, u.open, u.due, u.at, u.standing, u.since, bytesText(u.state), bytesText(u.tombstone), u.name,
		[]string{f.key.Merchant}, []string{f.key.Operation.String()}, []string{f.key.Payment}, []string{f.provider}, bytesText([][]byte{f.digest}))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if tag.RowsAffected() == 0 {
		var key pgtype.UndecodedBytes // the caller's session says how bytes are written
		var other string
		switch err := tx.QueryRow(ctx, j.sql.openKeys, pgx.QueryExecModeExec, bytesText([][]byte{f.digest})).Scan(&key, &other); {
		case errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("%w: %s is stored already", journal.ErrConflict, r.ID)
		case err != nil:
			return fmt.Errorf("postgres: %w", err)
		}
		return &journal.OpenError{Key: r.Key, ID: other}
	}
	var hashes [][]byte
	var ids []string
	for _, name := range f.names {
		hashes, ids = append(hashes, nameHash(f.provider, name)), append(ids, r.ID)
	}
	if _, err := tx.Exec(ctx, j.sql.insertNames, pgx.QueryExecModeExec, bytesText(hashes), ids); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

func distinct(names []string) (all []string) {
	for _, name := range names {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
