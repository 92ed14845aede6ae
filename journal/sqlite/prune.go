package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"
)

// pruneStep is the number of rows deleted in one transaction. Puts wait for one transaction at
// most.
const pruneStep = 200

// Prune deletes old rows, 200 in a transaction; see [journal.Journal]. If it fails, the number
// says how many were deleted before.
func (j *Journal) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		var n int // of this round: its job may still run when ctx has ended
		err := j.run(ctx, func(w *writer) (err error) {
			n, err = w.prune(before)
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
		if n < pruneStep {
			return total, nil
		}
	}
}

func (w *writer) prune(before time.Time) (n int, err error) {
	err = w.transact(func() error {
		n = 0
		for range pruneStep {
			var f cachedFlow
			var names []byte
			err := w.findPrunable.queryRow([]driver.Value{before.UnixMicro()}, &f.n, &f.id, &f.provider, &names)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if f.names, err = decodeNames(names); err != nil {
				return err
			}
			if err := w.delete(&f); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	w.checkpoint.wrote(int64(n) * 2048)
	return n, nil
}

func (w *writer) delete(f *cachedFlow) error {
	w.cache.evict(f.id)
	for _, name := range f.names {
		if err := one(w.deleteName.exec(f.provider, name, f.n)); err != nil {
			return err
		}
	}
	return one(w.deleteFlow.exec(f.n))
}
