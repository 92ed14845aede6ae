package sqlite

import (
	"context"
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
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// Options are settings of a journal. The zero value means the defaults.
type Options struct {
	// Hold is how long a lazy row may wait for more rows of the same commit. Zero means 5 ms.
	Hold time.Duration

	// Queue is the number of rows that may wait for their commit. When the queue is full, Put
	// waits. Zero means 4,096. The queue also holds at most 64 MB.
	Queue int

	// Checkpoint is the size of the -wal file, in bytes, at which it is copied into the
	// database and reused from its beginning. Under load the file grows to a few times this
	// size, and keeps it until Close. Zero means 16 MB.
	Checkpoint int64

	// MustExist refuses to create a file. In a new journal every paid key is free: set it once the
	// first file is there, so that a wrong path or a lost file is an error.
	MustExist bool

	// ID refuses another file than the journal with this id, which [Journal.ID] returned before. It
	// implies MustExist. Empty: any journal.
	ID string

	// Restored opens a file that may lack its last commits, a backup, a copy without its -wal file, or one that is damaged.
	// Keys that were paid may be free in it, so hold it against the providers' records first. The file
	// gets another id. Leave it unset otherwise.
	Restored bool

	// ReadOnly opens a file that another process may own, and writes nothing: Put and Prune fail.
	// The file must exist, and be of this release's schema.
	ReadOnly bool
}

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	switch {
	case out.Hold < 0:
		return out, errors.New("sqlite: Options.Hold must not be negative")
	case out.Queue < 0:
		return out, errors.New("sqlite: Options.Queue must not be negative")
	case out.Checkpoint < 0:
		return out, errors.New("sqlite: Options.Checkpoint must not be negative")
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

// Journal is a [journal.Journal] in a SQLite file. Use [Open].
type Journal struct {
	path   string
	id     string // of the file
	opts   Options
	lock   *flock.Flock
	reads  *reader
	writes *writer // used by the committer goroutine only
	known  *known
	queue  *rowqueue.Queue
	done   chan error // the committer has ended

	settles  *time.Timer // brings the table up to date
	settling bool        // it is set; the committer's
	settled  int64       // what it looks for next time: the table has what was changed up to then; the committer's

	life    context.Context // ends with Close
	end     context.CancelFunc
	reading sync.WaitGroup // of the file's keys and names
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in a file and owns the file until Close. It creates the file if
// there is none; the folder must exist. Nil options mean the defaults. The error wraps
// [journal.ErrOwned] if another journal has the file open, and names its process. A file of a
// newer release or of another program is refused, and not changed.
func Open(path string, o *Options) (*Journal, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, err
	}
	opts.MustExist = opts.MustExist || opts.ID != ""
	if opts.ReadOnly {
		return openReadOnly(path, opts)
	}
	lock := flock.New(path + ".lock")
	mine, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("sqlite: cannot lock %s: %w", path, err)
	}
	if !mine {
		return nil, &ownedError{Path: path, PID: ownerOf(path)}
	}
	if err = prepare(path, opts.MustExist); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	if err = opts.admitBackup(path); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	j, err := openOwned(path, opts)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	j.lock = lock
	return j, nil
}

// resolve returns one path for all names of a file: two processes that use different names
// must find the same lock file.
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
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("sqlite: %s is not a file", path)
	}
	return path, nil
}

// prepare creates the file, for its user alone, unless it is there. SQLite gives its log the same
// permissions.
func prepare(path string, mustExist bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && (info.Size() > 0 || !mustExist):
		return nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("sqlite: %w", err)
	case mustExist:
		return fmt.Errorf("sqlite: there is no journal in %s, and Options.MustExist forbids a new one: every paid key would be free in it", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return file.Close()
}

// openOwned opens a file whose lock this process holds.
func openOwned(path string, opts Options) (*Journal, error) {
	w, err := newWriter(path, rand.Text(), &opts)
	if err != nil {
		return nil, err
	}
	r, err := newReader(path)
	if err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	if w.checkpoint, err = newCheckpointer(w, path, opts.Checkpoint); err != nil {
		return nil, errors.Join(err, r.close(), w.abandon())
	}
	var flows int64
	if err := w.queryRow("SELECT coalesce(max(max(n), 1), 0) FROM flow", &flows); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", path, err), r.close(), w.abandon())
	}
	w.known.inFile = flows
	j := &Journal{
		path:   path,
		id:     w.id,
		opts:   opts,
		reads:  r,
		writes: w,
		known:  w.known,
		queue:  rowqueue.New(rowqueue.Options{Rows: opts.Queue, Hold: opts.Hold, Enter: w.known.enter}),
		done:   make(chan error, 1),
	}
	j.life, j.end = context.WithCancel(context.Background())
	j.settles = time.AfterFunc(time.Hour, j.settleLater)
	j.settles.Stop()
	go j.commit()
	if flows > compareAtOnce && !opts.Restored {
		j.reading.Go(j.compareLater)
	}
	return j, nil
}

// ownerOf reads the owner's process id from the database, 0 if it is unknown. It is not in the
// lock file, because Windows does not let another process read a locked file.
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

// Close stores the lazy rows, ends the ownership of the file and closes it.
func (j *Journal) Close() error {
	if !j.queue.Close() {
		return journal.ErrClosed
	}
	if j.opts.ReadOnly {
		return j.reads.close()
	}
	j.end()
	j.reading.Wait()
	j.queue.Hurry()
	err := <-j.done
	j.settles.Stop()
	if j.queue.CheckLost(nil) == nil {
		// Rows that can't be brought into their table are stored nevertheless, and the next to open the file tries it again.
		_ = j.queue.CheckLost(j.writes.settle())
		_ = j.queue.CheckLost(j.writes.giveAllBack()) // of batches
	}
	if j.queue.CheckLost(nil) == nil {
		err = errors.Join(err, j.queue.CheckLost(j.writes.markClosed()))
	}
	return errors.Join(err, j.reads.close(), j.writes.close(), j.lock.Unlock())
}
