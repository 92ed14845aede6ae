package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// store stores a group of rows in one transaction. A row that is refused has the reason in
// its request; an error means that none was stored.
func (w *writer) store(rows []*request) error {
	written := 0
	err := w.transact(func() error {
		for id, version := range w.burned {
			if err := w.burn(id, version); err != nil {
				return err
			}
		}
		for _, r := range rows {
			var err error
			if r.err, err = w.admit(&r.row); err != nil {
				return err
			}
			if r.err != nil && r.lazy {
				if err := w.burn(r.row.ID, r.row.Version+1); err != nil {
					return err
				}
			}
			written += size(&r.row)
		}
		return w.flush()
	})
	if err != nil {
		w.undo(rows)
		return err
	}
	clear(w.burned)
	w.checkpoint.wrote(int64(written))
	return nil
}

// undo forgets what the group has changed in memory. The writer of a lazy row believes
// that it is stored, so its version must not come again.
func (w *writer) undo(rows []*request) {
	for _, h := range w.dirty {
		h.dirty = false
	}
	w.dirty = w.dirty[:0]
	for _, r := range rows {
		w.heads.forget(r.row.ID)
		if r.lazy {
			w.burned[r.row.ID] = max(w.burned[r.row.ID], r.row.Version+1)
		}
	}
	for id := range w.burned {
		w.heads.forget(id)
	}
}

// admit takes a row into the group, or says why it is refused. What opens a key is written
// at once, so that SQLite's own index guards it; all else is written when the group ends,
// once for each flow.
func (w *writer) admit(r *journal.Row) (refused, err error) {
	if r.Version == 1 {
		return w.create(r)
	}
	h, err := w.head(r.ID)
	switch {
	case err != nil:
		return nil, err
	case h == nil:
		return conflict(r, 0), nil
	case r.Version != h.version+1:
		return conflict(r, h.version), nil
	}
	if err := r.CheckAfter(h.key, h.provider); err != nil {
		return err, nil
	}
	if r.Open && !h.open && r.Key.Payment != "" {
		if err := w.flush(); err != nil { // others may have left the key
			return nil, err
		}
		if other, err := w.openFlow(r.Key); err != nil || other != "" {
			return &journal.OpenError{Key: r.Key, ID: other}, err
		}
		w.soil(h)
		h.follow(r)
		return nil, w.flush()
	}
	w.soil(h)
	h.follow(r)
	return nil, nil
}

func conflict(r *journal.Row, stored int64) error {
	if stored == 0 {
		return fmt.Errorf("%w: %s is not stored, version %d of it was put", journal.ErrConflict, r.ID, r.Version)
	}
	return fmt.Errorf("%w: %s is at version %d, version %d was put", journal.ErrConflict, r.ID, stored, r.Version)
}

// create writes the first row of a flow. Mostly nothing is in its way, and SQLite finds
// that out by the way; only if something is do we ask what.
func (w *writer) create(r *journal.Row) (refused, err error) {
	for {
		names := distinct(r.Names)
		result, err := w.insert.exec(r.Version, number(r.Open), due(r.Due), r.At.UnixMicro(), r.ID,
			r.Key.Merchant, r.Key.Operation.String(), r.Key.Payment, r.Provider, encodeNames(names), blob(r.State))
		created, err := changed(result, err)
		if err != nil {
			return nil, err
		}
		if created {
			n, err := result.LastInsertId()
			if err != nil {
				return nil, err
			}
			h := &head{n: n, id: r.ID, version: 1, stored: 1, open: r.Open, wasOpen: r.Open, key: r.Key, provider: r.Provider, names: names}
			w.heads.keep(h)
			return nil, w.putNames(h, names)
		}
		if h, err := w.head(r.ID); err != nil || h != nil {
			return conflict(r, h.known()), err
		}
		if len(w.dirty) == 0 {
			other, err := w.openFlow(r.Key)
			if err == nil && other == "" {
				err = errors.New("a first row was refused for no reason: the file is damaged")
			}
			return &journal.OpenError{Key: r.Key, ID: other}, err
		}
		// The flow that is in the way may have ended in this very group.
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
}

func (h *head) known() int64 {
	if h == nil {
		return 0
	}
	return h.version
}

// openFlow returns the id of the open flow of a key, as it is written; "" if there is none.
func (w *writer) openFlow(k journal.Key) (string, error) {
	var id string
	err := w.opener.one([]driver.Value{k.Payment, k.Merchant, k.Operation.String()}, &id)
	if errors.Is(err, io.EOF) {
		return "", nil
	}
	return id, err
}

// burn makes sure that a version is never given to a row: the stored row takes it.
func (w *writer) burn(id string, version int64) error {
	h, err := w.head(id)
	if err != nil || h == nil || h.version >= version {
		return err
	}
	w.soil(h)
	h.version = version
	return nil
}

func (w *writer) soil(h *head) {
	if !h.dirty {
		h.dirty = true
		w.dirty = append(w.dirty, h)
	}
}

// flush writes what the group has changed so far.
func (w *writer) flush() error {
	for _, h := range w.dirty {
		if err := w.write(h); err != nil {
			return err
		}
		h.written()
	}
	clear(w.dirty)
	w.dirty = w.dirty[:0]
	return nil
}

func (w *writer) write(h *head) error {
	r := h.last
	if r == nil {
		return must(w.bump.exec(h.version, h.n, h.stored))
	}
	if h.fresh == 0 && h.open == h.wasOpen {
		return must(w.touch.exec(h.version, due(r.Due), r.At.UnixMicro(), blob(r.State), h.n, h.stored))
	}
	err := must(w.update.exec(h.version, due(r.Due), r.At.UnixMicro(), blob(r.State), number(h.open), encodeNames(h.names), h.n, h.stored))
	if err != nil {
		return err
	}
	return w.putNames(h, h.names[len(h.names)-h.fresh:])
}

func (w *writer) putNames(h *head, names []string) error {
	for _, name := range names {
		if _, err := w.name.exec(h.provider, name, h.n); err != nil {
			return err
		}
	}
	return nil
}

func due(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// blob keeps the driver from storing NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
