package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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
	if err := j.writeFlows(ctx, everyFlow); err != nil { // else the first step would write them all, and puts wait for it
		return 0, err
	}
	type step struct {
		n    int
		more bool
	}
	total := 0
	for more := true; more; {
		did, err := ask(ctx, j, func(w *writer) (s step, err error) {
			s.n, s.more, err = w.prune(before)
			return s, err
		})
		if err != nil {
			return total, err
		}
		total += did.n
		more = did.more
	}
	for more := total > 0; more; {
		var err error
		if more, err = ask(ctx, j, (*writer).giveBack); err != nil {
			return total, err
		}
	}
	return total, nil
}

// pruning are the statements that nothing else uses.
type pruning struct{ findPrunable, bury, keep *stmt }

// tomb is a row that is pruned, without its state.
type tomb struct {
	cachedFlow
	operation string
	names     []byte
	left      []byte // its tombstone; empty: nothing is left
	at        int64
}

// prune deletes up to pruneStep rows, and then inserts their tombstones in their places. Rows that were made
// smaller one by one would leave every page as it is, with little in it.
func (w *writer) prune(before time.Time) (n int, more bool, err error) {
	err = w.transact(func() error {
		n, more = 0, true
		if err := w.catchUp(); err != nil {
			return err
		}
		var left []*tomb
		for range pruneStep {
			t, err := w.nextPrunable(before)
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil {
				return err
			}
			if t == nil {
				continue
			}
			if err := w.remove(t); err != nil {
				return err
			}
			if len(t.left) > 0 {
				left = append(left, t)
			}
			n++
		}
		return w.buryAll(left)
	})
	if err != nil {
		return 0, false, err
	}
	w.checkpoint.wrote(int64(n) * 2048)
	return n, more, nil
}

// nextPrunable is the next row to prune, or [io.EOF]. A damaged one is marked and stays, for its key may be paid: then both
// are nil.
func (w *writer) nextPrunable(before time.Time) (*tomb, error) {
	t := new(tomb)
	err := w.pruning.findPrunable.queryRow([]driver.Value{before.UnixMicro()}, &t.n, &t.version, &t.id, &t.key.Merchant, &t.operation,
		&t.key.Payment, &t.provider, &t.names, &t.left, &t.at, &t.standing, &t.since)
	if err != nil && (t.n == 0 || errors.Is(err, io.EOF)) {
		return nil, err
	}
	if err == nil {
		t.cachedFlow.names, err = decodeNames(t.names)
	}
	if err != nil {
		return nil, one(w.pruning.keep.exec(int64(unpruned), t.n))
	}
	return t, nil
}

// remove deletes a row and its names.
func (w *writer) remove(t *tomb) error {
	w.cache.evict(t.id)
	for _, name := range t.cachedFlow.names {
		if err := one(w.deleteName.exec(t.provider, name, t.n)); err != nil {
			return err
		}
	}
	return one(w.deleteFlow.exec(t.n))
}

// buryAll inserts tombstones.
func (w *writer) buryAll(left []*tomb) error {
	for _, t := range left {
		err := one(w.pruning.bury.exec(t.n, t.version, t.id, t.key.Merchant, t.operation, t.key.Payment, t.provider, t.left, t.at, t.standing, t.since, int64(buried)))
		if err != nil {
			return err
		}
	}
	return nil
}

// giveBackStep is how many pages are given back in one transaction.
const giveBackStep = 1000

// giveBack shortens the file by pages that are free, and reports whether there may be more. Some are left for
// the rows to come.
func (w *writer) giveBack() (more bool, err error) {
	var free, pages int64
	err = errors.Join(w.queryRow("PRAGMA freelist_count", &free), w.queryRow("PRAGMA page_count", &pages))
	spare := free - pages/20
	if err != nil || spare <= 0 {
		return false, err
	}
	err = w.transact(func() error { return w.exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", min(spare, giveBackStep))) })
	w.checkpoint.wrote(min(spare, giveBackStep) * w.checkpoint.pageSize)
	var now int64
	err = errors.Join(err, w.queryRow("PRAGMA freelist_count", &now))
	return err == nil && now < free, err // a file of before cannot
}

// giveAllBack gives back what it can.
func (w *writer) giveAllBack() error {
	for {
		if more, err := w.giveBack(); err != nil || !more {
			return err
		}
	}
}
