package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the journal to a new file, for its user alone. Every row whose Put has
// returned is in it, and no row is there in part. Puts go on meanwhile. The copy is read back before
// Backup returns. A file that exists is not overwritten; after an error there is none.
//
// A copy must never become a second journal that pays: in an old one the keys that were paid since are
// free. Open it with [Options.ReadOnly].
func (j *Journal) Backup(ctx context.Context, path string) (err error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return err
	}
	if !j.opts.ReadOnly { // else the copy has batches too, and so it may if this fails
		err := j.writeFlows(ctx, everyFlow)
		if err == nil {
			err = j.run(ctx, (*writer).settle)
		}
		if err != nil && (ctx.Err() != nil || j.queue.Usable() != nil) {
			return err
		}
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sqlite: %s is there already; a backup needs a new file", path)
	}
	partial := path + ".partial"
	file, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: the backup cannot be created: %w", err)
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(partial))
		}
	}()
	if err := j.copyInto(ctx, partial); err != nil {
		return fmt.Errorf("sqlite: no backup was made of %s: %w", j.path, err)
	}
	if err := errors.Join(markBackup(partial), file.Sync(), checkCopy(ctx, partial)); err != nil {
		return fmt.Errorf("sqlite: the backup of %s is not good: %w", j.path, err)
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // not every system can
		_ = dir.Close()
	}
	return nil
}

// copyInto lets SQLite write a copy, on a connection of its own.
func (j *Journal) copyInto(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(j.path, true, "busy_timeout(5000)"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

// markBackup marks a copy as one.
func markBackup(path string) error {
	c, err := connect(dsn(path, false))
	if err != nil {
		return err
	}
	return errors.Join(c.exec(fmt.Sprintf("PRAGMA journal_mode = DELETE; PRAGMA application_id = %d", backupID)), c.Close())
}

// checkCopy reads a copy from beginning to end.
func checkCopy(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return err
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return errors.New(found)
	}
	return nil
}
