package sqlite

import (
	"errors"
	"fmt"
	"os"

	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// errReadOnly refuses what would write.
var errReadOnly = errors.New("sqlite: the journal was opened with Options.ReadOnly")

// openReadOnly opens a file beside its owner, or without one.
func openReadOnly(path string, opts Options) (*Journal, error) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil, fmt.Errorf("sqlite: there is no journal in %s", path)
	}
	if err := opts.admitBackup(path); err != nil {
		return nil, err
	}
	c, err := connect(dsn(path, true, "busy_timeout(5000)"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	of, err := examineReadOnly(c, path, &opts)
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, err
	}
	r, err := newReader(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	queue := rowqueue.New(rowqueue.Options{ReadOnly: errReadOnly})
	return &Journal{path: path, id: of.id, opts: opts, reads: r, known: &known{off: true}, queue: queue}, nil
}

// examineReadOnly is the identity of a file that can be read as it is.
func examineReadOnly(c *conn, path string, o *Options) (none identity, err error) {
	version, err := examine(c, path, len(migrations))
	if err != nil {
		return none, err
	}
	if version < len(migrations) {
		return none, fmt.Errorf("sqlite: %s has schema version %d, of an older release; it must be opened once for writing, which takes it to version %d", path, version, len(migrations))
	}
	had := hasLog(path)
	err = o.admit(c, path, version, had)
	if err != nil && !had && hasLog(path) { // its owner has opened it meanwhile
		err = o.admit(c, path, version, true)
	}
	if err != nil {
		return none, err
	}
	return readIdentity(c, path)
}
