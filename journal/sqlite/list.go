package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// listed are the columns of a row in a list: what stands before the names, and the index's own.
const listed = `SELECT f.id, f.version, f.merchant, f.operation, f.payment, f.provider, x'', f.open, f.due, f.at, x'', f.standing, f.since `

// condition is what a filter asks of the rows of one standing, as SQL over the index flow_standing.
func condition(f *journal.Filter, standing string) (where string, args []any) {
	// A damaged since that is no number would sort behind every cursor, and pages would not end. Get, ByKey
	// and Due find such a row.
	where, args = "f.standing = ? AND f.since <= 9223372036854775807", []any{standing}
	add := func(term string, arg any) {
		where += " AND " + term
		args = append(args, arg)
	}
	if !f.Before.IsZero() {
		add("f.since < ?", f.Before.UnixMicro())
	}
	if f.Merchant != "" {
		add("f.merchant = ?", f.Merchant)
	}
	if f.Provider != "" {
		add("f.provider = ?", f.Provider)
	}
	return where, args
}

// List returns the rows that a filter selects; see [journal.Journal]. Each standing has its own
// part of the index, so the parts are read one by one and merged.
func (j *Journal) List(ctx context.Context, f journal.Filter, after journal.Cursor, limit int) ([]journal.Row, error) {
	if limit <= 0 {
		return nil, j.queue.WaitLazy(ctx)
	}
	standings, err := j.standings(ctx, &f)
	if err != nil {
		return nil, err
	}
	var all []journal.Row
	for _, standing := range standings {
		where, args := condition(&f, standing)
		if (after != journal.Cursor{}) {
			where += " AND (f.since, f.id) > (?, ?)"
			args = append(args, after.Due.UnixMicro(), after.ID)
		}
		rows, err := j.read(ctx, everyFlow, func(r *reader) (*sql.Rows, error) {
			return r.db.QueryContext(ctx, listQuery(where), append(args, limit)...)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b journal.Row) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), limit)], nil
}

func listQuery(where string) string {
	return listed + "FROM flow f WHERE " + where + " ORDER BY f.since, f.id LIMIT ?"
}

func countQuery(where string) string {
	return "SELECT f.merchant, f.provider, count(*), min(f.since) FROM flow f WHERE " + where + " GROUP BY f.merchant, f.provider"
}

// nextStanding finds the standings that there are, by one seek in the index for each.
const nextStanding = `SELECT min(standing) FROM flow WHERE standing > ?`

// standings are those that a filter selects, each once.
func (j *Journal) standings(ctx context.Context, f *journal.Filter) ([]string, error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	if len(f.Standings) > 0 {
		return distinct(f.Standings), nil
	}
	all := []string{""}
	for {
		var next sql.NullString
		err := j.with(ctx, everyFlow, func(r *reader) error { return r.db.QueryRowContext(ctx, nextStanding, all[len(all)-1]).Scan(&next) })
		if err != nil {
			return nil, err
		}
		if !next.Valid || next.String <= all[len(all)-1] { // a damaged one sorts behind all texts
			return all, nil
		}
		all = append(all, next.String)
	}
}

// Count counts the rows that a filter selects; see [journal.Journal]. It reads the index only.
func (j *Journal) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	standings, err := j.standings(ctx, &f)
	if err != nil {
		return nil, err
	}
	slices.Sort(standings)
	var all []journal.Tally
	for _, standing := range standings {
		where, args := condition(&f, standing)
		err := j.with(ctx, everyFlow, func(r *reader) error {
			found, err := r.count(ctx, standing, where, args)
			all = append(all, found...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *reader) count(ctx context.Context, standing, where string, args []any) ([]journal.Tally, error) {
	rows, err := r.db.QueryContext(ctx, countQuery(where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []journal.Tally
	for rows.Next() {
		t := journal.Tally{Standing: standing}
		var oldest int64
		if err := rows.Scan(&t.Merchant, &t.Provider, &t.Count, &oldest); err != nil {
			return nil, err
		}
		t.Oldest = time.UnixMicro(oldest).UTC()
		all = append(all, t)
	}
	// SQLite groups in the order of its bytes, as Go compares; sorted nevertheless, as it does not promise that.
	slices.SortFunc(all, func(a, b journal.Tally) int {
		return cmp.Or(strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.Provider, b.Provider))
	})
	return all, rows.Err()
}
