package sqlite

import (
	"fmt"
	"sync/atomic"
)

// checkpointer keeps the -wal file small. Its own connection copies most of it into the
// database while the committer goes on; then the committer copies what has come meanwhile,
// which is little, and its next transaction begins at the top of the file again, unless a
// reader is still in there.
type checkpointer struct {
	limit    int64 // bytes in the log at which it begins
	pageSize int64
	look     *stmt // the length of the log, on the committer's connection
	copy     *stmt // copies the log, on the committer's connection

	unseen int64       // bytes of rows since the last look
	busy   bool        // the other connection was told to begin
	ready  atomic.Bool // it has ended
	begin  chan struct{}
	ended  chan error
}

// lookEvery is the number of bytes of rows after which the log is looked at. With its
// indexes and half-full pages a row takes a few times its size there.
const lookEvery = 128 << 10

// passive does not wait for anybody, nor does anybody wait for it.
const passive = `PRAGMA wal_checkpoint(PASSIVE)`

func newCheckpointer(w *writer, path string, limit int64) (*checkpointer, error) {
	c := &checkpointer{limit: limit, begin: make(chan struct{}, 1), ended: make(chan error, 1)}
	err := w.one("PRAGMA page_size", &c.pageSize)
	if err == nil {
		c.look, err = w.prepare(`PRAGMA wal_checkpoint(NOOP)`)
	}
	if err == nil {
		c.copy, err = w.prepare(passive)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	go func() { c.ended <- c.work(path) }()
	return c, nil
}

// work is the goroutine with the connection of its own. It has no error to tell: a log that
// could not be copied stays as it is, and the committer tries the same afterwards.
func (c *checkpointer) work(path string) error {
	var own *conn
	for range c.begin {
		if own == nil {
			own, _ = connect(dsn(path, false, "busy_timeout(5000)", "synchronous(FULL)"))
		}
		if own != nil {
			_ = own.exec(passive)
		}
		c.ready.Store(true)
	}
	if own == nil {
		return nil
	}
	return own.Close()
}

// wrote tells of rows written; the committer calls it between its transactions.
func (c *checkpointer) wrote(n int64) {
	c.unseen += n
	if c.busy {
		if c.ready.CompareAndSwap(true, false) {
			c.busy = false
			_, _ = c.copy.exec()
		}
		return
	}
	if c.unseen < min(lookEvery, c.limit/4) {
		return
	}
	c.unseen = 0
	var blocked, pages, copied int64
	if err := c.look.one(nil, &blocked, &pages, &copied); err != nil || pages*c.pageSize < c.limit {
		return
	}
	c.busy = true
	c.begin <- struct{}{}
}

func (c *checkpointer) close() []error {
	close(c.begin)
	return []error{<-c.ended, c.look.Close(), c.copy.Close()}
}
