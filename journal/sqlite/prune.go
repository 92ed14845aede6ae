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

// What the column pruned says.
const (
	buried   = 1 // the tombstone is left
	unpruned = 2 // it can't be pruned: it is damaged, or was written before tombstones
)

// Prune deletes old rows, or leaves their tombstones, 200 in a transaction; see [journal.Journal]. If it fails, the number
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
			var tombstone int64
			err := w.findPrunable.queryRow([]driver.Value{before.UnixMicro()}, &f.n, &f.id, &f.provider, &names, &tombstone)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if f.names, err = decodeNames(names); err != nil {
				// The others are pruned. This one stays, for its key may be paid.
				if err := one(w.bury.exec(nil, int64(unpruned), f.n)); err != nil {
					return err
				}
				continue
			}
			if err := w.remove(&f, tombstone > 0); err != nil {
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

// remove deletes a row and its names, or leaves its tombstone in place of its state.
func (w *writer) remove(f *cachedFlow, tombstone bool) error {
	w.cache.evict(f.id)
	for _, name := range f.names {
		if err := one(w.deleteName.exec(f.provider, name, f.n)); err != nil {
			return err
		}
	}
	if tombstone {
		return one(w.bury.exec(encodeNames(nil), int64(buried), f.n))
	}
	return one(w.deleteFlow.exec(f.n))
}
