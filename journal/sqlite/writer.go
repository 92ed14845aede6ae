package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/recourse-pay/recourse/journal"
)

// writer is the only connection that writes rows, with its statements. Only the committer
// goroutine uses it.
type writer struct {
	*conn
	path      string
	logPath   string
	id        string      // of the file
	file, log os.FileInfo // at path, and its log, when it was opened
	token     string
	cache     flowCache
	batching
	lostLazy   map[string]int64 // by flow: the version after a lazy row that was lost with its group
	checkpoint *checkpointer

	begin, commit, readOwner           *stmt
	findFlow, findOpen, findKey        *stmt
	pruning                            pruning
	insertFlow, updateState, updateAll *stmt
	updateVersion, deleteFlow          *stmt
	insertName, deleteName             *stmt
}

// newWriter opens the file, migrates its schema and writes its token into the file as the
// owner.
func newWriter(path, token string, o *Options) (*writer, error) {
	hadLog := hasLog(path) // before SQLite makes one
	c, err := connect(dsn(path, false, "busy_timeout(5000)"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	w := &writer{conn: c, path: path, logPath: logOf(path), token: token, batching: batching{known: newKnown(0)}, lostLazy: make(map[string]int64)}
	if err := w.prepareFile(o, hadLog); err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	return w, nil
}

func (w *writer) prepareFile(o *Options, hadLog bool) error {
	// Examine before the first write: the file may belong to another program, or be another journal.
	version, err := examine(w.conn, w.path, len(migrations))
	if err == nil {
		err = o.admit(w.conn, w.path, version, hadLog)
	}
	if err != nil {
		return err
	}
	damaged, err := o.compareFile(w.conn, w.path, version)
	if err != nil {
		return err
	}
	// Three rows of payments that have ended fit into a page, and but one into a page of the usual size. A file gives back what
	// Prune frees. Both must be said before there is a table; a file of before has its page size, and its pages are only used again.
	if err := w.exec("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	var mode string
	err = w.conn.queryRow("PRAGMA journal_mode = WAL", &mode)
	if err == nil && mode != "wal" {
		err = fmt.Errorf("the file system does not support a write-ahead log; journal_mode is %q", mode)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	// The checkpointer replaces SQLite's autocheckpoint, which runs inside a commit and delays it.
	err = w.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384")
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	if err := migrate(w.conn, w.path, migrations); err != nil {
		return err
	}
	if err := w.prepareStatements(); err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	err = w.takeOwnership()
	if err == nil {
		err = w.markRunning(o.Restored)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	w.file, err = os.Stat(w.path)
	if err == nil {
		w.log, err = os.Stat(w.logPath)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if damaged {
		if err := w.mend(); err != nil {
			return err
		}
	}
	return w.transact(func() error { return w.recover(o.Restored) })
}

func (w *writer) prepareStatements() error {
	for _, s := range []struct {
		into  **stmt
		query string
	}{
		{&w.begin, `BEGIN IMMEDIATE`},
		{&w.commit, `COMMIT`},
		{&w.readOwner, `SELECT token, pid, host FROM owner`},
		{&w.findFlow, `SELECT n, version, open, merchant, operation, payment, provider, names, standing, since FROM flow WHERE id = ?`},
		{&w.findOpen, `SELECT id FROM flow WHERE payment = ? AND merchant = ? AND operation = ? AND open = 1 AND payment <> ''`},
		{&w.findKey, `SELECT id FROM flow WHERE payment = ? AND merchant = ? AND operation = ? ORDER BY n`},
		{&w.insertFlow, `INSERT INTO flow (version, open, due, at, id, merchant, operation, payment, provider, names, state, tombstone, standing, since)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&w.updateState, `UPDATE flow SET version = ?, due = ?, at = ?, state = ?, tombstone = ?, pruned = 0 WHERE n = ? AND version = ?`},
		{&w.updateAll, `UPDATE flow SET version = ?, due = ?, at = ?, state = ?, tombstone = ?, pruned = 0, open = ?, names = ?, standing = ?, since = ? WHERE n = ? AND version = ?`},
		{&w.updateVersion, `UPDATE flow SET version = ? WHERE n = ? AND version = ?`},
		{&w.insertName, `INSERT INTO name (provider, name, n) VALUES (?, ?, ?)`},
		{&w.pruning.findPrunable, `SELECT n, version, id, merchant, operation, payment, provider, names, coalesce(tombstone, x''), at, standing, since
			FROM flow WHERE due IS NULL AND pruned = 0 AND at < ? LIMIT 1`},
		{&w.pruning.keep, `UPDATE flow SET pruned = ? WHERE n = ?`},
		{&w.pruning.bury, `INSERT INTO flow (n, version, open, id, merchant, operation, payment, provider, names, state, at, standing, since, pruned)
			VALUES (?, ?, 0, ?, ?, ?, ?, ?, x'', ?, ?, ?, ?, ?)`},
		{&w.deleteName, `DELETE FROM name WHERE provider = ? AND name = ? AND n = ?`},
		{&w.deleteFlow, `DELETE FROM flow WHERE n = ?`},
		{&w.findNew, `SELECT EXISTS (SELECT 1 FROM flow WHERE id = ?1) OR ?2 <> '' AND EXISTS (SELECT 1 FROM flow WHERE payment = ?2 AND merchant = ?3 AND operation = ?4)`},
		{&w.insertBatch, `INSERT INTO batch (rows) VALUES (?)`},
		{&w.deleteBatches, `DELETE FROM batch WHERE n <= ?`},
	} {
		prepared, err := w.prepare(s.query)
		if err != nil {
			return err
		}
		*s.into = prepared
	}
	return nil
}

// takeOwnership writes the token into the file. After that a previous owner cannot commit.
func (w *writer) takeOwnership() error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // used in messages only
	}
	own, err := w.prepare(`INSERT OR REPLACE INTO owner (one, token, pid, host) VALUES (1, ?, ?, ?)`)
	if err != nil {
		return err
	}
	_, err = own.exec(w.token, int64(os.Getpid()), host)
	return errors.Join(err, own.Close())
}

// transact runs work in a transaction. It fails if the writer does not own the file any more.
func (w *writer) transact(work func() error) error {
	w.direct = false
	if _, err := w.begin.exec(); err != nil {
		return w.failed(err)
	}
	err := w.checkFile()
	if err == nil {
		err = w.checkOwner()
	}
	if err == nil && w.stale {
		err = w.recover(false)
	}
	if err == nil {
		err = work()
	}
	if err == nil {
		_, err = w.commit.exec()
	}
	if err != nil {
		w.rollback()
		w.forget()
		return w.failed(err)
	}
	w.committed()
	return nil
}

// checkFile compares the file at the path, and its log, with those that are open. Rows in a file that was
// deleted or replaced would be lost with the process.
func (w *writer) checkFile() error {
	return errors.Join(unchanged(w.path, w.file), unchanged(w.logPath, w.log))
}

// unchanged compares what is at a path with what was there when it was opened.
func unchanged(path string, then os.FileInfo) error {
	if now, err := os.Stat(path); err != nil || !os.SameFile(then, now) {
		return fmt.Errorf("%w: %s was deleted or replaced while it was open", journal.ErrLost, path)
	}
	return nil
}

// checkOwner compares the token in the file with the writer's. It runs inside the transaction,
// where no other process can change the token. So a process that was paused while another
// process took the file over cannot commit.
func (w *writer) checkOwner() error {
	var token, host string
	var pid int64
	err := w.readOwner.queryRow(nil, &token, &pid, &host)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the file has no owner", journal.ErrLost)
	case err != nil:
		return err
	case token != w.token:
		return fmt.Errorf("%w: process %d on %s", journal.ErrLost, pid, host)
	}
	return nil
}

func (w *writer) failed(err error) error {
	return fmt.Errorf("sqlite: nothing was stored in %s: %w", w.path, err)
}

// abandon closes a file that could not be opened. If it says already that it is running, its log stays.
func (w *writer) abandon() error {
	if w.id == "" {
		return w.close()
	}
	return errors.Join(w.keepLog(), w.close())
}

func (w *writer) close() error {
	var errs []error
	if w.checkpoint != nil {
		errs = w.checkpoint.close()
	}
	for _, s := range []*stmt{
		w.begin, w.commit, w.readOwner, w.findFlow, w.findOpen, w.findKey, w.insertFlow, w.updateState, w.updateAll, w.updateVersion,
		w.insertName, w.findNew, w.insertBatch, w.deleteBatches, w.pruning.findPrunable, w.pruning.bury, w.pruning.keep, w.deleteName, w.deleteFlow,
	} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// one returns an error unless a statement changed exactly one row. It never happens while the
// cache agrees with the file.
func one(result driver.Result, err error) error {
	ok, err := changed(result, err)
	if err == nil && !ok {
		err = errors.New("the stored row has changed since it was read")
	}
	return err
}
