package sqlite

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	sqlite3 "modernc.org/sqlite"
)

// identity is what the file says of itself, in a table with one row.
type identity struct {
	id      string
	running int64 // 1: its owner has not closed it, so its last commits may be in the log alone
}

// identitySchema is the first version of the schema with an identity.
const identitySchema = 4

// readIdentity reads it, from a file that has one.
func readIdentity(c *conn, path string) (of identity, err error) {
	err = c.queryRow("SELECT id, running FROM journal", &of.id, &of.running)
	if errors.Is(err, io.EOF) {
		err = errors.New("the file has lost its identity")
	}
	if err != nil {
		return of, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return of, nil
}

// newIdentity is an id that no other file has.
func newIdentity() string { return strings.ToLower(rand.Text()) }

// logOf is the file of the commits that are not in the database yet.
func logOf(path string) string { return path + "-wal" }

// hasLog reports whether there is one.
func hasLog(path string) bool {
	info, err := os.Stat(logOf(path))
	return err == nil && info.Size() > 0
}

// admitBackup refuses to write to a backup, before SQLite opens it: a log that was left beside it is of the
// file that was there before, and SQLite would mix the two.
func (o *Options) admitBackup(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer file.Close()
	var mark [4]byte
	if _, err := file.ReadAt(mark[:], 68); err != nil || binary.BigEndian.Uint32(mark[:]) != backupID { // see SQLite's file format
		return nil
	}
	switch {
	case hasLog(path):
		return fmt.Errorf("sqlite: %s is a backup, and %s is the log of the file that was there before: move that away, for it would damage the backup", path, logOf(path))
	case !o.Restored && !o.ReadOnly:
		return fmt.Errorf("sqlite: %s is a backup: keys that were paid since are free in it. Hold it against the providers' records and set Options.Restored; it was not changed", path)
	}
	return nil
}

// admit checks, before anything is written, that the file is the one that the caller means, and whole.
// version is that of its schema.
func (o *Options) admit(c *conn, path string, version int, hadLog bool) error {
	if version == 0 && o.MustExist { // its creation was interrupted, or it was copied then, without its log
		return fmt.Errorf("sqlite: there is no journal in %s, an empty database, and Options.MustExist forbids a new one: every paid key would be free in it", path)
	}
	if version < identitySchema { // of an earlier release, or new
		if o.ID == "" {
			return nil
		}
		return fmt.Errorf("sqlite: %s is not journal %s of Options.ID: it has no id yet; open it once without, and pin the id that Journal.ID returns", path, o.ID)
	}
	of, err := readIdentity(c, path)
	var app int64
	if err == nil {
		err = c.queryRow("PRAGMA application_id", &app)
	}
	switch {
	case err != nil:
		return err
	case o.ID != "" && o.ID != of.id:
		return fmt.Errorf("sqlite: %s is journal %s, and not journal %s of Options.ID; it was not changed", path, of.id, o.ID)
	case of.running == 1 && !hadLog && !o.Restored && app != backupID: // a backup is only read here
		return fmt.Errorf("sqlite: %s was not closed, and %s, which may hold its last commits, is missing: the file was copied without it, is a backup, "+
			"or was closed by another program after a crash; keys that were paid may be free in it. Find the log, or hold the file against the providers' records and set Options.Restored; it was not changed", path, logOf(path))
	}
	return nil
}

// markRunning marks the file as running. It is copied from the log at once: without the log the file then says
// that something is missing. A file that was restored becomes another journal.
func (w *writer) markRunning(restored bool) error {
	if restored {
		script := fmt.Sprintf("UPDATE journal SET id = '%s'; PRAGMA application_id = %d", newIdentity(), applicationID)
		if err := w.exec(script); err != nil {
			return err
		}
	}
	if err := w.exec("UPDATE journal SET running = 1; " + passive); err != nil {
		return err
	}
	of, err := readIdentity(w.conn, w.path)
	w.id = of.id
	return err
}

// markClosed marks the file as closed. If that fails, closing it must not delete its log.
func (w *writer) markClosed() error {
	err := w.transact(func() error { return w.exec("UPDATE journal SET running = 0") })
	if err == nil {
		return nil
	}
	return errors.Join(err, w.keepLog())
}

// keepLog lets the log stay when the file is closed: a file that says that it is running is refused without.
func (w *writer) keepLog() error {
	c, ok := w.conn.Conn.(sqlite3.FileControl)
	if !ok {
		return nil
	}
	_, err := c.FileControlPersistWAL("main", 1)
	return err
}

// ID is the identity of the file, made with it and kept in it. Note it, and pin it with [Options.ID].
func (j *Journal) ID() string { return j.id }
