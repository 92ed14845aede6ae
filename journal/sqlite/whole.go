package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite"

	"github.com/recourse-pay/recourse/journal"
)

// SQLite has no checksums of its pages. Where a bit of an index went bad, it finds no row of a key that is paid, and says no word. So a file is
// compared with itself when it is opened: each row of the table must be in all indexes with what it says, each of its names in the table of names, and
// nothing else may be there. What a row says of its flow has its writer's checksum. Larger files are compared in the background, while they are used.

// compareAtOnce is how many flows a file may have to be compared before Open returns. It takes some tenths of a second.
const compareAtOnce = 10_000

// damagedError says that a file does not agree with itself.
type damagedError struct {
	Path, What string
}

// Error names the file, and says what can be done.
func (e *damagedError) Error() string {
	return fmt.Sprintf("sqlite: %s is damaged, so keys that were paid may be free in it: %s. Hold it, or a backup, against the providers' records and set Options.Restored", e.Path, e.What)
}

// compareFile compares a file with itself before anything is written, unless it is large. One that is to be restored may be damaged.
func (o *Options) compareFile(c *conn, path string, version int) (damaged bool, err error) {
	if version == 0 {
		return false, nil
	}
	var newest int64
	if err := c.queryRow("SELECT coalesce(max(n), 0) FROM flow", &newest); err != nil {
		return false, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	if newest > compareAtOnce && !o.Restored {
		return false, nil // compareLater does
	}
	err = checkWhole(context.Background(), c, path)
	if o.Restored && errors.As(err, new(*damagedError)) {
		return true, nil
	}
	return false, err
}

// compareLater compares a large file with itself while it is used. If it is damaged, the journal is lost.
func (j *Journal) compareLater() {
	c, err := connect(dsn(j.path, true, "busy_timeout(5000)"))
	if err != nil {
		return // reads will say so
	}
	err = checkWhole(j.life, c, j.path)
	if errors.As(err, new(*damagedError)) {
		_ = j.queue.CheckLost(fmt.Errorf("%w: %w", journal.ErrLost, err))
	}
	_ = c.Close()
}

// mend makes the indexes and the names of a file anew from its table of flows.
func (w *writer) mend() error {
	err := w.transact(func() error {
		if err := w.exec("REINDEX; DELETE FROM name"); err != nil {
			return err
		}
		all, err := w.prepare("SELECT n, provider, names FROM flow WHERE names <> x''")
		if err != nil {
			return err
		}
		var bad error
		err = all.each(nil, func(row []driver.Value) bool {
			encoded, _ := row[2].([]byte)
			names, _ := decodeNames(encoded) // as far as they can be read
			for _, name := range distinct(names) {
				if bad == nil {
					_, bad = w.insertName.exec(row[1], name, row[0])
				}
			}
			return bad == nil
		})
		return errors.Join(err, bad, all.Close())
	})
	if err != nil {
		return err
	}
	return checkWhole(context.Background(), w.conn, w.path)
}

// checkWhole returns a [damagedError] for a file that does not agree with itself.
func checkWhole(ctx context.Context, c *conn, path string) error {
	err := c.exec("BEGIN")
	if err == nil {
		defer c.rollback()
		err = checkPages(ctx, c, path)
	}
	if err == nil {
		err = checkNames(ctx, c, path)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	const corrupt = 11 // of SQLite's codes, SQLITE_CORRUPT
	if code := new(sqlite3.Error); errors.As(err, &code) && code.Code()&0xff == corrupt {
		return &damagedError{path, err.Error()}
	}
	if err != nil && !errors.As(err, new(*damagedError)) {
		err = fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return err
}

// checkPages lets SQLite compare the tables with their indexes.
func checkPages(ctx context.Context, c *conn, path string) error {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, "PRAGMA integrity_check(1)", nil)
	if err != nil {
		return err
	}
	var found string
	if err = scan(rows, []any{&found}); err == nil && found != "ok" {
		err = &damagedError{path, found}
	}
	return err
}

// checkNames compares the names that rows have with the table of names, which has no index to compare it with.
func checkNames(ctx context.Context, c *conn, path string) error {
	find, err := c.prepare("SELECT count(*) FROM name WHERE provider = ? AND name = ? AND n = ?")
	if err != nil {
		return err
	}
	defer find.Close()
	all, err := c.prepare("SELECT n, provider, names FROM flow WHERE names <> x''")
	if err != nil {
		return err
	}
	defer all.Close()
	var named, unread int64
	var bad error
	err = all.each(nil, func(row []driver.Value) bool {
		encoded, _ := row[2].([]byte)
		names, err := decodeNames(encoded)
		if err != nil {
			unread++ // reads say so of this row
			return ctx.Err() == nil
		}
		for _, name := range names {
			var n int64
			if bad = find.queryRow([]driver.Value{row[1], name, row[0]}, &n); bad == nil && n == 0 {
				bad = &damagedError{path, fmt.Sprintf("row %v of its flows is not found by its names", row[0])}
			}
			named += n
		}
		return bad == nil && ctx.Err() == nil
	})
	var rows int64
	if err = errors.Join(err, bad, ctx.Err()); err == nil {
		err = c.queryRow("SELECT count(*) FROM name", &rows)
	}
	if err == nil && rows != named && unread == 0 {
		err = &damagedError{path, fmt.Sprintf("its flows have %d names, of which %d are found", named, rows)}
	}
	return err
}
