package sqlite

import (
	"fmt"
	"sync/atomic"
)

// checkpointer limits the size of the -wal file. A background connection copies most of the
// file into the database while the committer continues. Then the committer copies the few
// pages written since. Its next transaction reuses the file from the beginning, unless a
// reader still needs it.
type checkpointer struct {
	limit    int64 // size of the log, in bytes, at which a checkpoint starts
	pageSize int64
	length   *stmt // reads the length of the log, on the committer's connection
	copyRest *stmt // copies the rest of the log, on the committer's connection

	unmeasured int64       // bytes of rows since the length was read
	running    bool        // the background connection has a request
	ready      atomic.Bool // the request is finished
	requests   chan struct{}
	ended      chan error
}

// measureEvery is the number of bytes of rows after which the length of the log is read. With
// its indexes and half-full pages a row takes a few times its size in the log.
const measureEvery = 128 << 10

// passive neither waits for readers and writers nor blocks them.
const passive = `PRAGMA wal_checkpoint(PASSIVE)`

func newCheckpointer(w *writer, path string, limit int64) (*checkpointer, error) {
	c := &checkpointer{limit: limit, requests: make(chan struct{}, 1), ended: make(chan error, 1)}
	err := w.queryRow("PRAGMA page_size", &c.pageSize)
	if err == nil {
		c.length, err = w.prepare(`PRAGMA wal_checkpoint(NOOP)`)
	}
	if err == nil {
		c.copyRest, err = w.prepare(passive)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	go func() { c.ended <- c.background(path) }()
	return c, nil
}

// background is the goroutine of the background connection. It ignores errors: a log that
// could not be copied stays as it is, and the committer tries the same afterwards.
func (c *checkpointer) background(path string) error {
	var own *conn
	for range c.requests {
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

// wrote counts the bytes of rows written. The committer calls it between its transactions.
func (c *checkpointer) wrote(n int64) {
	c.unmeasured += n
	if c.running {
		if c.ready.CompareAndSwap(true, false) {
			c.running = false
			_, _ = c.copyRest.exec()
		}
		return
	}
	if c.unmeasured < min(measureEvery, c.limit/4) {
		return
	}
	c.unmeasured = 0
	var blocked, pages, copied int64
	if err := c.length.queryRow(nil, &blocked, &pages, &copied); err != nil || pages*c.pageSize < c.limit {
		return
	}
	c.running = true
	c.requests <- struct{}{}
}

func (c *checkpointer) close() []error {
	close(c.requests)
	return []error{<-c.ended, c.length.Close(), c.copyRest.Close()}
}
