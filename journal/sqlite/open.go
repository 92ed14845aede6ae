package sqlite

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/recourse-pay/recourse/journal"
)

// Options change what works for most. The zero value works.
type Options struct {
	// Hold is how long a row put lazily may wait for others to share its commit.
	// Default 5 ms.
	Hold time.Duration

	// Queue is the number of rows that may wait for the committer; when it is reached, Put
	// waits. Default 4,096. The bytes that wait are limited to 64 MB.
	Queue int

	// Checkpoint is the number of bytes in the -wal file at which it is copied into the
	// database and begun again. Under load it grows to a few times of that, and keeps its
	// size until Close. Default 16 MB.
	Checkpoint int64
}

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Hold < 0 || out.Queue < 0 || out.Checkpoint < 0 {
		return out, errors.New("sqlite: an option is negative")
	}
	if out.Hold == 0 {
		out.Hold = 5 * time.Millisecond
	}
	if out.Queue == 0 {
		out.Queue = 4096
	}
	if out.Checkpoint == 0 {
		out.Checkpoint = 16 << 20
	}
	return out, nil
}

// Journal is a journal in a SQLite file.
type Journal struct {
	path   string
	opts   Options
	lock   *flock.Flock
	reads  *reader
	writes *writer // the committer's
	hold   *time.Timer

	mu     sync.Mutex
	queue  []*request
	bytes  int           // of the queue
	urgent bool          // somebody waits for the queue
	put    uint64        // requests ever queued
	lazy   uint64        // the number of the last lazy one
	stored uint64        // requests that the committer is done with
	turn   chan struct{} // closed when stored moves; nil: nobody waits for that
	closed bool
	lost   error

	wake chan struct{} // there is something urgent
	done chan error    // the committer has ended
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in a file, creates it if need be, and owns it until Close. The
// folder must exist. Nil options are the defaults. It returns an [*OwnedError] if another
// journal has the file open, a [*SchemaError] or a [*ForeignError] if the file is not for
// this release.
func Open(path string, o *Options) (*Journal, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, err
	}
	lock := flock.New(path + ".lock")
	mine, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("sqlite: cannot lock %s: %w", path, err)
	}
	if !mine {
		return nil, &OwnedError{Path: path, PID: ownerOf(path)}
	}
	j, err := openOwned(path, opts)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	j.lock = lock
	return j, nil
}

// resolve makes two names of one file the same, so that both find the same lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("sqlite: the folder of %s: %w", path, err)
	}
	path = filepath.Join(folder, filepath.Base(path))
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("sqlite: %s is not a file", path)
	}
	return path, nil
}

// openOwned opens the file of a path that is locked already.
func openOwned(path string, opts Options) (*Journal, error) {
	w, err := newWriter(path, rand.Text())
	if err != nil {
		return nil, err
	}
	r, err := newReader(path)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	if w.checkpoint, err = newCheckpointer(w, path, opts.Checkpoint); err != nil {
		return nil, errors.Join(err, r.close(), w.close())
	}
	j := &Journal{
		path:   path,
		opts:   opts,
		reads:  r,
		writes: w,
		wake:   make(chan struct{}, 1),
		done:   make(chan error, 1),
	}
	j.hold = time.AfterFunc(time.Hour, j.hurry)
	j.hold.Stop()
	go j.commit()
	return j, nil
}

// ownerOf asks the file who owns it. The lock file cannot tell: on Windows a locked file
// cannot be read.
func ownerOf(path string) int {
	db, err := sql.Open("sqlite", dsn(path, true, "busy_timeout(1000)"))
	if err != nil {
		return 0
	}
	defer db.Close()
	var pid int
	if err := db.QueryRow("SELECT pid FROM owner").Scan(&pid); err != nil {
		return 0
	}
	return pid
}

// Close implements [journal.Journal].
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return journal.ErrClosed
	}
	j.closed = true
	j.mu.Unlock()
	j.hurry()
	err := <-j.done
	j.hold.Stop()
	return errors.Join(err, j.reads.close(), j.writes.close(), j.lock.Unlock())
}
