package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// reader has read-only connections, so that reads do not wait for commits.
type reader struct {
	db                     querier
	close                  func() error
	get, byKey, named, due *sql.Stmt
	taken                  *sql.Stmt
}

// querier is a pool of connections, or one of them.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

const (
	readers = 4 // connections

	columns = `SELECT f.id, f.version, f.merchant, f.operation, f.payment, f.provider, f.names, f.open, f.due, f.at, f.state, f.standing, f.since `

	fewNames = 4      // up to this number the prepared statement is used
	maxNames = 30_000 // SQLite's limit is 32,766 parameters
)

func newReader(path string) (*reader, error) {
	db, err := sql.Open("sqlite", dsn(path, true, "busy_timeout(5000)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return prepareReader(context.Background(), db, db.Close)
}

func prepareReader(ctx context.Context, db querier, done func() error) (*reader, error) {
	r := &reader{db: db, close: done}
	for _, s := range []struct {
		into  **sql.Stmt
		query string
	}{
		{&r.get, columns + `FROM flow f WHERE f.id = ?`},
		{&r.byKey, columns + `FROM flow f WHERE f.payment = ? AND f.merchant = ? AND f.operation = ? ORDER BY f.n`},
		{&r.named, namedQuery(fewNames)},
		{&r.taken, `SELECT ?1 <> '' AND EXISTS (SELECT 1 FROM flow WHERE payment = ?1 AND merchant = ?2 AND operation = ?3)
			OR EXISTS (SELECT 1 FROM name WHERE provider = ?4 AND name IN (?5, ?6))`},
		{&r.due, columns + `FROM flow f WHERE f.due IS NOT NULL AND f.due <= ? AND (f.due, f.id) > (?, ?) ORDER BY f.due, f.id LIMIT ?`},
	} {
		prepared, err := db.PrepareContext(ctx, s.query)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		*s.into = prepared
	}
	return r, nil
}

// Get returns the row of a flow; see [journal.Journal].
func (j *Journal) Get(ctx context.Context, id string) (journal.Row, error) {
	rows, err := j.read(ctx, func(f *cachedFlow) bool { return f.id == id }, func(r *reader) (*sql.Rows, error) { return r.get.QueryContext(ctx, id) })
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
	return j.read(ctx, func(f *cachedFlow) bool { return f.key == k }, func(r *reader) (*sql.Rows, error) {
		return r.byKey.QueryContext(ctx, k.Payment, k.Merchant, k.Operation.String())
	})
}

// Taken reports whether ByKey would find a row for a key that is not empty, or Named one for a provider and at
// most two names. Most are new, which memory knows; else it is one look, and waits only for lazy rows that may bring a key or a name.
func (j *Journal) Taken(ctx context.Context, k journal.Key, provider string, names ...string) (bool, error) {
	if len(names) > 2 {
		return false, fmt.Errorf("sqlite: Taken takes at most 2 names, not %d", len(names))
	}
	if j.certainlyNew(k, provider, names) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		return false, j.queue.Usable()
	}
	if err := j.queue.WaitNamed(ctx); err != nil {
		return false, err
	}
	var two [2]any // NULL is no name
	for i := range names {
		two[i] = names[i]
	}
	var taken bool
	look := func(r *reader) error {
		return r.taken.QueryRowContext(ctx, k.Payment, k.Merchant, k.Operation.String(), provider, two[0], two[1]).Scan(&taken)
	}
	var err error
	if j.opts.ReadOnly || j.known.isRecent(k, provider, names) {
		wanted := slices.Clone(names)
		err = j.with(ctx, func(f *cachedFlow) bool { return f.key == k || f.has(provider, wanted) }, look)
	} else if err = look(j.reads); err != nil { // memory knows that no batch has it
		err = j.readFailed(ctx, err)
	}
	return taken && err == nil, err
}

// certainlyNew reports whether no row has the key or one of the names, as far as memory knows.
func (j *Journal) certainlyNew(k journal.Key, provider string, names []string) bool {
	isNew, read := j.known.isNew(k, provider, names)
	if read {
		j.queue.IfOpen(func() { j.reading.Go(func() { j.readFile(j.life) }) })
	}
	return isNew
}

// Named returns the flows that have one of the names, at most 30,000 names in a call; see
// [journal.Journal].
func (j *Journal) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	if len(names) == 0 {
		return nil, j.queue.WaitLazy(ctx)
	}
	if len(names) > maxNames {
		return nil, fmt.Errorf("sqlite: Named takes at most %[2]d names, not %[1]d", len(names), maxNames)
	}
	args := make([]any, 0, max(len(names), fewNames)+1)
	args = append(args, provider)
	for _, name := range names {
		args = append(args, name)
	}
	wanted := slices.Clone(names) // the committer may still look when ctx has ended
	return j.read(ctx, func(f *cachedFlow) bool { return f.has(provider, wanted) }, func(r *reader) (*sql.Rows, error) {
		if len(names) > fewNames {
			return r.db.QueryContext(ctx, namedQuery(len(names)), args...)
		}
		for len(args) < fewNames+1 {
			args = append(args, names[0])
		}
		return r.named.QueryContext(ctx, args...)
	})
}

// namedQuery selects the flows that have one of n names.
func namedQuery(n int) string {
	return columns + `FROM flow f WHERE f.n IN (SELECT n FROM name WHERE provider = ? AND name IN (?` +
		strings.Repeat(", ?", n-1) + `)) ORDER BY f.n`
}

// Due returns the rows that are due; see [journal.Journal].
func (j *Journal) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	return j.read(ctx, everyFlow, func(r *reader) (*sql.Rows, error) {
		return r.due.QueryContext(ctx, by.UnixMicro(), after.Due.UnixMicro(), after.ID, max(limit, 0))
	})
}

// read runs a query after the lazy rows are stored. of says which flows it may find.
func (j *Journal) read(ctx context.Context, of func(*cachedFlow) bool, ask func(*reader) (*sql.Rows, error)) (rows []journal.Row, err error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	err = j.with(ctx, of, func(r *reader) error {
		rows, err = collect(ask(r))
		return err
	})
	return rows, err
}

// with reads by a reader that finds all that is stored of some flows.
func (j *Journal) with(ctx context.Context, of func(*cachedFlow) bool, read func(*reader) error) error {
	r := j.reads
	if j.opts.ReadOnly || j.writes.behind.Load() {
		merged, err := j.upToDate(ctx, of)
		if err != nil {
			return j.readFailed(ctx, err)
		}
		if merged != nil {
			defer func() { _ = merged.close() }()
			r = merged
		}
	}
	if err := read(r); err != nil {
		return j.readFailed(ctx, err)
	}
	return nil
}

// upToDate brings what the table has of some flows up to date. Where that is not possible, because the file is only read or the disk is full, it returns
// a reader that reads the batches too.
func (j *Journal) upToDate(ctx context.Context, of func(*cachedFlow) bool) (*reader, error) {
	if !j.opts.ReadOnly {
		err := j.writeFlows(ctx, of)
		if err == nil || ctx.Err() != nil || j.queue.Usable() != nil {
			return nil, err
		}
	}
	return newMergingReader(ctx, j.path)
}

// readFailed is the error of a query that failed.
func (j *Journal) readFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := j.queue.Usable(); err != nil {
		return err // closed or lost during the query
	}
	return fmt.Errorf("sqlite: reading %s: %w", j.path, err)
}

func collect(found *sql.Rows, err error) ([]journal.Row, error) {
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []journal.Row
	for found.Next() {
		r, err := scanRow(found)
		if err != nil {
			if r, err = damaged(found, err); err != nil {
				return nil, err
			}
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// scanRow reads the row under the cursor.
func scanRow(found *sql.Rows) (r journal.Row, err error) {
	var operation, names []byte
	var due sql.NullInt64
	var at, since int64
	err = found.Scan(&r.ID, &r.Version, &r.Key.Merchant, &operation, &r.Key.Payment, &r.Provider, &names, &r.Open, &due, &at, &r.State, &r.Standing, &since)
	if err != nil {
		return r, err
	}
	if err := r.Key.Operation.UnmarshalText(operation); err != nil {
		return r, err
	}
	if r.Names, err = decodeNames(names); err != nil {
		return r, err
	}
	if due.Valid {
		r.Due = time.UnixMicro(due.Int64).UTC()
	}
	r.At, r.Since = time.UnixMicro(at).UTC(), time.UnixMicro(since).UTC()
	return r, nil
}

// damaged is the row under the cursor, as far as it can be read although scanRow could not: one bad row must
// not keep all others from being read.
func damaged(found *sql.Rows, why error) (r journal.Row, err error) {
	var id, version, merchant, operation, payment, provider, names, open, due, at, state, standing, since any
	if err := found.Scan(&id, &version, &merchant, &operation, &payment, &provider, &names, &open, &due, &at, &state, &standing, &since); err != nil {
		return r, err
	}
	r.ID, r.Damaged = fmt.Sprint(id), fmt.Errorf("the row in the journal is damaged: %w", why)
	r.Version, _ = version.(int64)
	r.Key.Merchant, _ = merchant.(string)
	r.Key.Payment, _ = payment.(string)
	r.Provider, _ = provider.(string)
	if text, ok := operation.(string); ok {
		_ = r.Key.Operation.UnmarshalText([]byte(text)) // it may be what is damaged
	}
	if n, ok := open.(int64); ok {
		r.Open = n != 0
	}
	if micros, ok := due.(int64); ok {
		r.Due = time.UnixMicro(micros).UTC()
	}
	if micros, ok := at.(int64); ok {
		r.At = time.UnixMicro(micros).UTC()
	}
	r.Standing, _ = standing.(string)
	if micros, ok := since.(int64); ok {
		r.Since = time.UnixMicro(micros).UTC()
	}
	return r, nil
}
