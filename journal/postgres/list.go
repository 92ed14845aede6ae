package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/journal"
)

// condition is what a filter asks of the rows of one standing, as SQL over the index flow_standing.
func condition(f *journal.Filter, standing string) (where string, args []any) {
	where, args = "f.standing = $1", []any{standing}
	add := func(term string, arg any) {
		args = append(args, arg)
		where += " AND " + strings.ReplaceAll(term, "?", fmt.Sprintf("$%d", len(args)))
	}
	if !f.Before.IsZero() {
		add("f.since < ?", f.Before)
	}
	if f.Merchant != "" {
		add("f.merchant = ?", f.Merchant)
	}
	if f.Provider != "" {
		add("f.provider = ?", f.Provider)
	}
	return where, args
}

// List returns the rows that a filter selects; see [journal.Journal]. Each standing has its own part of the index, so
// the parts are read one by one and merged.
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
			where += fmt.Sprintf(" AND (f.since, f.id) > ($%d, $%d)", len(args)+1, len(args)+2)
			args = append(args, after.Due, after.ID)
		}
		rows, err := j.read(ctx, j.sql.list+where+fmt.Sprintf(" ORDER BY f.since, f.id LIMIT $%d", len(args)+1), append(args, limit)...)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b journal.Row) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	all = all[:min(len(all), limit)]
	for i := range all {
		all[i].Names, all[i].State = nil, nil
	}
	return all, nil
}

// standings are those that a filter selects, each once, found by one look into the index for each.
func (j *Journal) standings(ctx context.Context, f *journal.Filter) ([]string, error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	if len(f.Standings) > 0 {
		all := slices.Clone(f.Standings)
		slices.Sort(all)
		return slices.Compact(all), nil
	}
	all := []string{""}
	for {
		next, err := retried(ctx, j, func() (next *string, err error) {
			return next, j.pool.QueryRow(ctx, j.sql.standings, all[len(all)-1]).Scan(&next)
		})
		if err != nil || next == nil {
			return all, err
		}
		all = append(all, *next)
	}
}

// Count counts the rows that a filter selects; see [journal.Journal].
func (j *Journal) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	standings, err := j.standings(ctx, &f)
	if err != nil {
		return nil, err
	}
	var all []journal.Tally
	for _, standing := range standings {
		where, args := condition(&f, standing)
		found, err := retried(ctx, j, func() ([]journal.Tally, error) {
			rows, err := j.pool.Query(ctx, j.sql.count+where+" GROUP BY f.standing, f.merchant, f.provider ORDER BY f.merchant, f.provider", args...)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t journal.Tally, err error) {
				err = row.Scan(&t.Standing, &t.Merchant, &t.Provider, &t.Count, &t.Oldest)
				t.Oldest = t.Oldest.UTC()
				return t, err
			})
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
