package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"
)

// pruneStep is the number of rows removed in one transaction: puts wait for no more.
const pruneStep = 200

// Prune implements [journal.Journal]. It removes a few rows at a time; if it fails, its
// number says how many are gone.
func (j *Journal) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		var n int // the job's own: it may still run when ctx has ended
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
		for n = 0; n < pruneStep; n++ {
			var h head
			var names []byte
			err := w.finished.one([]driver.Value{before.UnixMicro()}, &h.n, &h.id, &h.provider, &names)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if h.names, err = decodeNames(names); err != nil {
				return err
			}
			if err := w.drop(&h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	w.checkpoint.wrote(int64(n) * 2048)
	return n, nil
}

func (w *writer) drop(h *head) error {
	w.heads.forget(h.id)
	for _, name := range h.names {
		if err := must(w.unname.exec(h.provider, name, h.n)); err != nil {
			return err
		}
	}
	return must(w.remove.exec(h.n))
}
