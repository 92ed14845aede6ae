package sqlite

import (
	"context"
	"math"
	"slices"
	"time"
)

// When the table is brought up to date. A flow that waits for that is mostly written once, with its end; and so that no commit is much longer than
// another, flows are written a slice at a time.
const (
	mostPending      = 384      // flows, of few at once
	mostPendingBytes = 16 << 20 // of batches
	slice            = 128      // flows in a transaction
	pendingFor       = time.Second / 2
)

// cut divides the batches in two: when the first flows of dirty are in the table, what stands before the cut is superfluous. It then moves behind all
// batches.
type cut struct {
	flows int   // so many of dirty were there when it was made
	batch int64 // the newest batch then; 0: none
	moved bool  // by this transaction
}

// kept is the memory of some batches in the file. The flows of dirty have their content in it.
type kept struct {
	batches [][]byte
	bytes   int
}

func (k *kept) add(batch []byte) {
	k.batches = append(k.batches, batch)
	k.bytes += len(batch)
}

// surplus is how many flows a group writes into the table. The more rows a group has, the more flows are under way at once, and the later they end.
func (w *writer) surplus() int {
	group, least := len(w.group), slice
	if group < slice/16 {
		least = 3 * slice // few callers: one of them waits long, and seldom
	}
	n := len(w.dirty) - max(mostPending, 3*group)
	if w.before.bytes+w.since.bytes > mostPendingBytes/2 {
		n = len(w.dirty)
	}
	if n < least {
		return 0
	}
	return min(n, max(least, 2*group))
}

// writeOldest writes the flows into the table that were changed first, and deletes the batches before the cut if it has reached that.
func (w *writer) writeOldest(n int) error {
	n = min(max(n, 0), len(w.dirty))
	if err := w.writeEach(w.dirty[:n]); err != nil {
		return err
	}
	clear(w.dirty[:n])
	w.dirty = w.dirty[n:]
	w.cut.flows -= n
	switch {
	case w.newest == 0:
		return nil
	case len(w.dirty) == 0:
		w.cut, w.newest = cut{}, 0
		return w.deleteUpTo(math.MaxInt64)
	case w.cut.flows > 0:
		return nil
	}
	passed := w.cut.batch
	w.cut = cut{flows: len(w.dirty), batch: w.newest, moved: true}
	if passed == 0 {
		return nil
	}
	return w.deleteUpTo(passed)
}

func (w *writer) deleteUpTo(batch int64) error {
	_, err := w.deleteBatches.exec(batch)
	return err
}

// writeEach writes flows into the table, those that it lacks.
func (w *writer) writeEach(flows []*cachedFlow) error {
	for _, f := range flows {
		if !f.dirty {
			continue
		}
		if err := w.write(f); err != nil {
			return err
		}
		f.flushed()
	}
	return nil
}

// passCut takes note that the cut has moved: what memory has of the batches before it is not needed any more.
func (w *writer) passCut() {
	w.known.passCut()
	w.spare = append(w.spare, w.before.batches...)
	clear(w.before.batches)
	w.before, w.since = w.since, kept{batches: w.before.batches[:0]}
}

// settle brings the table up to date.
func (w *writer) settle() error {
	if !w.behind.Load() {
		return nil
	}
	return w.transact(w.catchUp)
}

// settleLater brings the table up to date, when rows have waited for it long enough. What was changed since the call before waits for the next one:
// else flows would be written before they end.
func (j *Journal) settleLater() {
	upTo, err := ask(j.life, j, func(w *writer) (upTo int64, err error) {
		upTo, j.settled = j.settled, w.added
		return upTo, nil
	})
	for more := true; err == nil && more; {
		more, err = ask(j.life, j, func(w *writer) (more bool, err error) {
			n := upTo - w.added + int64(len(w.dirty))
			if n > 0 || w.stale {
				err = w.transact(func() error { return w.writeOldest(int(min(n, slice))) })
			}
			more = n > slice
			j.settling = more && err == nil // a failure: it is tried again
			return more, err
		})
	}
}

// everyFlow is for what may find any flow.
func everyFlow(*cachedFlow) bool { return true }

// writeFlows brings what the table has of some flows up to date, as far as they are changed now. No put waits for more than one slice of them.
func (j *Journal) writeFlows(ctx context.Context, of func(*cachedFlow) bool) error {
	flows, err := ask(ctx, j, func(w *writer) (flows []*cachedFlow, err error) {
		if w.stale {
			return nil, w.transact(func() error { return nil })
		}
		for _, f := range w.dirty {
			if f.dirty && of(f) {
				flows = append(flows, f)
			}
		}
		if len(flows) > slice || len(flows) == 0 {
			return flows, nil
		}
		return nil, w.transact(func() error { return w.writeEach(flows) })
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(flows, slice) {
		if err := j.run(ctx, func(w *writer) error {
			return w.transact(func() error { return w.writeEach(some) })
		}); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether the flow has one of the names at a provider.
func (f *cachedFlow) has(provider string, names []string) bool {
	return f.provider == provider && slices.ContainsFunc(names, func(name string) bool { return slices.Contains(f.names, name) })
}
