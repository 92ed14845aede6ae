package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/recourse-pay/recourse/journal"
)

// writer is the one connection that writes, with its statements. It belongs to the
// committer; nobody else touches it.
type writer struct {
	*conn
	path       string
	token      string
	heads      heads
	dirty      []*head          // what the group has changed and not yet written
	burned     map[string]int64 // versions of lazy rows lost with their group
	checkpoint *checkpointer

	begin, commit, fence        *stmt
	find, opener                *stmt
	insert, touch, update, bump *stmt
	name                        *stmt
	finished, unname, remove    *stmt
}

// newWriter opens the file, brings its schema up to date and writes itself in as the owner.
func newWriter(path, token string) (*writer, error) {
	c, err := connect(dsn(path, false, "busy_timeout(5000)"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	w := &writer{conn: c, path: path, token: token, burned: make(map[string]int64)}
	if err := w.prepareFile(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) prepareFile() error {
	// Looked at before anything is set: the file may be somebody else's.
	if _, err := examine(w.conn, w.path, len(migrations)); err != nil {
		return err
	}
	var mode string
	err := w.conn.one("PRAGMA journal_mode = WAL", &mode)
	if err == nil && mode != "wal" {
		err = fmt.Errorf("no write-ahead log can be made here, only mode %q", mode)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	// The checkpointer does what autocheckpoint would do in the middle of a commit.
	err = w.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384")
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	if err := migrate(w.conn, w.path, migrations); err != nil {
		return err
	}
	if err := w.prepareAll(); err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	if err := w.own(); err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	return nil
}

func (w *writer) prepareAll() error {
	for _, s := range []struct {
		into  **stmt
		query string
	}{
		{&w.begin, `BEGIN IMMEDIATE`},
		{&w.commit, `COMMIT`},
		{&w.fence, `SELECT token, pid, host FROM owner`},
		{&w.find, `SELECT n, version, open, merchant, operation, payment, provider, names FROM flow WHERE id = ?`},
		{&w.opener, `SELECT id FROM flow WHERE payment = ? AND merchant = ? AND operation = ? AND open = 1 AND payment <> ''`},
		{&w.insert, `INSERT INTO flow (version, open, due, at, id, merchant, operation, payment, provider, names, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&w.touch, `UPDATE flow SET version = ?, due = ?, at = ?, state = ? WHERE n = ? AND version = ?`},
		{&w.update, `UPDATE flow SET version = ?, due = ?, at = ?, state = ?, open = ?, names = ? WHERE n = ? AND version = ?`},
		{&w.bump, `UPDATE flow SET version = ? WHERE n = ? AND version = ?`},
		{&w.name, `INSERT INTO name (provider, name, n) VALUES (?, ?, ?)`},
		{&w.finished, `SELECT n, id, provider, names FROM flow WHERE due IS NULL AND at < ? LIMIT 1`},
		{&w.unname, `DELETE FROM name WHERE provider = ? AND name = ? AND n = ?`},
		{&w.remove, `DELETE FROM flow WHERE n = ?`},
	} {
		prepared, err := w.prepare(s.query)
		if err != nil {
			return err
		}
		*s.into = prepared
	}
	return nil
}

// own writes the token into the file, and so ends the ownership of whoever had it.
func (w *writer) own() error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // it is for messages only
	}
	own, err := w.prepare(`INSERT OR REPLACE INTO owner (one, token, pid, host) VALUES (1, ?, ?, ?)`)
	if err != nil {
		return err
	}
	_, err = own.exec(w.token, int64(os.Getpid()), host)
	return errors.Join(err, own.Close())
}

// transact does work in a transaction, if the file is still this writer's.
func (w *writer) transact(work func() error) error {
	if _, err := w.begin.exec(); err != nil {
		return w.failed(err)
	}
	err := w.stillOwner()
	if err == nil {
		err = work()
	}
	if err == nil {
		_, err = w.commit.exec()
	}
	if err != nil {
		w.rollback()
		return w.failed(err)
	}
	return nil
}

// stillOwner looks for the token inside the transaction, where nobody can change it. A
// process that was paused finds here that another one has taken the file meanwhile.
func (w *writer) stillOwner() error {
	var token, host string
	var pid int64
	err := w.fence.one(nil, &token, &pid, &host)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it has no owner any more", journal.ErrLost)
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

func (w *writer) close() error {
	var errs []error
	if w.checkpoint != nil {
		errs = w.checkpoint.close()
	}
	for _, s := range []*stmt{
		w.begin, w.commit, w.fence, w.find, w.opener, w.insert, w.touch, w.update, w.bump,
		w.name, w.finished, w.unname, w.remove,
	} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// must turns a change of no row into an error: what the committer knows of the file and
// what is in it differ.
func must(result driver.Result, err error) error {
	ok, err := changed(result, err)
	if err == nil && !ok {
		err = errors.New("a row is not what it was when it was read")
	}
	return err
}
