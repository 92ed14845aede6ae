package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/recourse-pay/recourse/journal"
)

// The tables of a file together with the newest rows that its batches have, for one connection. They hide those of the file, so that each query is
// of both. What is only in batches has a number behind all others.
const (
	readColumns = `n, version, open, due, at, id, merchant, operation, payment, provider, names, state, standing, since`

	mergedTables = `
CREATE TEMP TABLE newer AS SELECT ` + readColumns + ` FROM main.flow WHERE 0;
CREATE TEMP TABLE newer_name AS SELECT provider, name, n FROM main.name WHERE 0;
`

	mergedViews = `
CREATE UNIQUE INDEX temp.newer_id ON newer (id);
CREATE TEMP VIEW flow AS SELECT ` + readColumns + ` FROM main.flow WHERE id NOT IN (SELECT id FROM newer) UNION ALL SELECT ` + readColumns + ` FROM newer;
CREATE TEMP VIEW name AS SELECT provider, name, n FROM main.name UNION ALL SELECT provider, name, n FROM newer_name;
`
)

// behindAll is a number behind those of all flows.
const behindAll = 1 << 60

// newMergingReader is a reader for a few queries at one moment, on a connection of its own, in one transaction. Nil: there are no batches.
func newMergingReader(ctx context.Context, path string) (*reader, error) {
	db, err := sql.Open("sqlite", dsn(path, true, "busy_timeout(5000)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	done := func() error {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK") // there may be none
		return errors.Join(conn.Close(), db.Close())
	}
	found, err := merge(conn)
	if err != nil || !found {
		return nil, errors.Join(err, done())
	}
	return prepareReader(ctx, conn, done)
}

// merge makes the merged tables. It leaves the transaction open in which it has read the batches.
func merge(pooled *sql.Conn) (found bool, err error) {
	err = pooled.Raw(func(raw any) error {
		c := &conn{raw.(driver.Conn)}
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		var rows []journal.Row
		rows, found, err = readBatches(c, false)
		if err != nil || !found {
			return err
		}
		return errors.Join(c.exec(mergedTables), fillMerged(c, newestRows(rows)), c.exec(mergedViews))
	})
	return found, err
}

// newestRows are the last rows of each flow, in the order of their first.
func newestRows(rows []journal.Row) (newest []*journal.Row) {
	at := make(map[string]int)
	for i := range rows {
		if n, found := at[rows[i].ID]; found {
			newest[n] = &rows[i]
			continue
		}
		at[rows[i].ID] = len(newest)
		newest = append(newest, &rows[i])
	}
	return newest
}

// fillMerged puts rows of batches, which have all names of their flows, into the tables beside the file's.
func fillMerged(c *conn, rows []*journal.Row) error {
	find, err := c.prepare("SELECT n, version FROM main.flow WHERE id = ?")
	if err != nil {
		return err
	}
	defer find.Close()
	add, err := c.prepare(`INSERT INTO newer (` + readColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer add.Close()
	addName, err := c.prepare(`INSERT INTO newer_name SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM main.name WHERE provider = ?1 AND name = ?2 AND n = ?3)`)
	if err != nil {
		return err
	}
	defer addName.Close()
	for i, r := range rows {
		n := behindAll + int64(i)
		var version int64
		if err := find.queryRow([]driver.Value{r.ID}, &n, &version); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if version >= r.Version { // as replay has it
			continue
		}
		_, err := add.exec(n, r.Version, number(r.Open), due(r.Due), r.At.UnixMicro(), r.ID, r.Key.Merchant, r.Key.Operation.String(), r.Key.Payment,
			r.Provider, encodeNames(r.Names), blob(r.State), r.Standing, r.Since.UnixMicro())
		for _, name := range r.Names {
			if err == nil {
				_, err = addName.exec(r.Provider, name, n)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
