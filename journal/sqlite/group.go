package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// store stores a group of rows in one transaction. The reason for a refused row goes into its
// request. An error means that no row was stored.
func (w *writer) store(rows []*rowqueue.Request) error {
	written := 0
	err := w.transact(func() error {
		for id, version := range w.lostLazy {
			if err := w.skipVersion(id, version); err != nil {
				return err
			}
		}
		for _, r := range rows {
			var err error
			if r.Err, err = w.admit(&r.Row, r.New); err != nil {
				return err
			}
			if r.Err != nil && r.Lazy {
				if err := w.skipVersion(r.Row.ID, r.Row.Version+1); err != nil {
					return err
				}
			}
			written += rowqueue.Size(&r.Row)
		}
		return w.keepGroup()
	})
	if err != nil {
		w.undo(rows)
		return err
	}
	clear(w.lostLazy)
	w.checkpoint.wrote(int64(written))
	return nil
}

// undo notes the lazy rows of a group that failed. Their writers already got nil from Put, so no other row may get
// their versions: else the writer's next row would overwrite a row that it has never read.
func (w *writer) undo(rows []*rowqueue.Request) {
	for _, r := range rows {
		if r.Lazy {
			w.lostLazy[r.Row.ID] = max(w.lostLazy[r.Row.ID], r.Row.Version+1)
		}
	}
}

// admit adds a row to the group, or returns why it is refused. A row that opens its key is
// written at once, so that SQLite's unique index guards the key, unless no row before it has the key or the id, and no row of the group was
// written at once. Other rows are written later, and then only the last of each flow.
func (w *writer) admit(r *journal.Row, isNew bool) (refused, err error) {
	if r.Version == 1 && !isNew {
		if isNew, err = w.unknown(r); err != nil {
			return nil, err
		}
	}
	if r.Version == 1 && isNew && !w.direct {
		w.add(r)
		return nil, nil
	}
	if r.Version == 1 {
		if err := w.catchUp(); err != nil {
			return nil, err
		}
		if r.Seen != nil {
			if refused, err := w.unseen(r); refused != nil || err != nil {
				return refused, err
			}
		}
		return w.create(r)
	}
	f, err := w.flow(r.ID)
	switch {
	case err != nil:
		return nil, err
	case f == nil:
		return conflict(r, 0), nil
	case r.Version != f.version+1:
		return conflict(r, f.version), nil
	}
	if err := r.CheckAfter(f.key, f.provider); err != nil {
		return err, nil
	}
	if r.Open && !f.open && r.Key.Payment != "" {
		if err := w.flush(); err != nil { // a flow of this group may have closed the key
			return nil, err
		}
		if other, err := w.openFlow(r.Key); err != nil || other != "" {
			return &journal.OpenError{Key: r.Key, ID: other}, err
		}
		w.markDirty(f)
		f.apply(r)
		return nil, w.flush()
	}
	w.markDirty(f)
	f.apply(r)
	return nil, nil
}

func conflict(r *journal.Row, stored int64) error {
	if stored == 0 {
		return fmt.Errorf("%w: %s is not stored, version %d of it was put", journal.ErrConflict, r.ID, r.Version)
	}
	return fmt.Errorf("%w: %s is at version %d, version %d was put", journal.ErrConflict, r.ID, stored, r.Version)
}

// add takes over the first row of a flow that no other row has anything in common with.
func (w *writer) add(r *journal.Row) {
	f := &cachedFlow{id: r.ID, key: r.Key, provider: r.Provider}
	w.cache.add(f)
	w.markDirty(f)
	f.apply(r)
}

// create inserts the first row of a flow. A conflict is rare, so create tries the insert first,
// and looks for the cause only after SQLite has refused it.
func (w *writer) create(r *journal.Row) (refused, err error) {
	for {
		made := &cachedFlow{id: r.ID, key: r.Key, provider: r.Provider}
		made.apply(r)
		if created, err := w.insert(made); err != nil {
			return nil, err
		} else if created {
			made.flushed()
			w.cache.add(made)
			return nil, nil
		}
		if f, err := w.flow(r.ID); err != nil || f != nil {
			return conflict(r, f.currentVersion()), err
		}
		if len(w.dirty) == 0 {
			other, err := w.openFlow(r.Key)
			if err == nil && other == "" {
				err = errors.New("SQLite refused the first row of a new flow, though no other flow of its key is open: the file is damaged")
			}
			return &journal.OpenError{Key: r.Key, ID: other}, err
		}
		// The open flow of the key may have ended in this group.
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
}

// unseen refuses the first row of a flow whose key has a flow that its writer has not seen. Flows are in the file from their first row on.
func (w *writer) unseen(r *journal.Row) (refused, err error) {
	var other any
	err = w.findKey.each([]driver.Value{r.Key.Payment, r.Key.Merchant, r.Key.Operation.String()}, func(row []driver.Value) (more bool) {
		id, isText := row[0].(string)
		if isText && (id == r.ID || slices.Contains(r.Seen, id)) {
			return true
		}
		other = row[0]
		return false
	})
	if err != nil || other == nil {
		return nil, err
	}
	if f, err := w.flow(r.ID); err != nil || f != nil {
		return conflict(r, f.currentVersion()), err
	}
	if err := w.flush(); err != nil { // a flow of this group may have closed the key
		return nil, err
	}
	if open, err := w.openFlow(r.Key); err != nil || open != "" && r.Open {
		return &journal.OpenError{Key: r.Key, ID: open}, err
	}
	return &journal.OpenError{Key: r.Key, ID: fmt.Sprint(other), Unseen: true}, nil
}

// currentVersion is 0 if there is no flow.
func (f *cachedFlow) currentVersion() int64 {
	if f == nil {
		return 0
	}
	return f.version
}

// openFlow returns the id of the open flow of a key in the file; "" if there is none.
func (w *writer) openFlow(k journal.Key) (string, error) {
	var id string
	err := w.findOpen.queryRow([]driver.Value{k.Payment, k.Merchant, k.Operation.String()}, &id)
	if errors.Is(err, io.EOF) {
		return "", nil
	}
	return id, err
}

// skipVersion gives a version to the stored row, so that no new row can get it.
func (w *writer) skipVersion(id string, version int64) error {
	f, err := w.flow(id)
	if err != nil || f == nil || f.version >= version {
		return err
	}
	w.markDirty(f)
	f.version = version
	return nil
}

func (w *writer) markDirty(f *cachedFlow) {
	if !f.dirty {
		f.dirty = true
		w.dirty = append(w.dirty, f)
		w.added++
	}
	if !f.inGroup {
		f.inGroup = true
		w.group = append(w.group, f)
	}
}

// catchUp brings the table up to date, unless this group has done so: then all that is not in it is of flows whose rows are.
func (w *writer) catchUp() error {
	if w.direct {
		return nil
	}
	return w.flush()
}

// flush writes the flows that were changed so far into the table, which makes the batches superfluous.
func (w *writer) flush() error {
	w.direct = true
	return w.writeOldest(len(w.dirty))
}

func (w *writer) write(f *cachedFlow) error {
	r := f.content
	if r == nil {
		return one(w.updateVersion.exec(f.version, f.n, f.storedVersion))
	}
	if f.n == 0 {
		created, err := w.insert(f)
		if err == nil && !created {
			err = fmt.Errorf("SQLite refused the first row of flow %s, though memory knew of no other flow with its id or key", f.id)
		}
		return err
	}
	if f.newNames == 0 && f.open == f.storedOpen && !f.moved {
		return one(w.updateState.exec(f.version, due(r.due), r.at.UnixMicro(), blob(r.state), blob(r.tombstone), f.n, f.storedVersion))
	}
	err := one(w.updateAll.exec(f.version, due(r.due), r.at.UnixMicro(), blob(r.state), blob(r.tombstone), number(f.open), encodeNames(f.names), f.standing, f.since, f.n, f.storedVersion))
	if err != nil {
		return err
	}
	return w.putNames(f, f.names[len(f.names)-f.newNames:])
}

// insert adds a flow to the table, and its names, unless SQLite finds another with its id, or open with its key.
func (w *writer) insert(f *cachedFlow) (created bool, err error) {
	r := f.content
	result, err := w.insertFlow.exec(f.version, number(f.open), due(r.due), r.at.UnixMicro(), f.id,
		f.key.Merchant, f.key.Operation.String(), f.key.Payment, f.provider, encodeNames(f.names), blob(r.state), blob(r.tombstone), f.standing, f.since)
	created, err = changed(result, err)
	if err != nil || !created {
		return false, err
	}
	if f.n, err = result.LastInsertId(); err != nil {
		return false, err
	}
	return true, w.putNames(f, f.names)
}

func (w *writer) putNames(f *cachedFlow, names []string) error {
	for _, name := range names {
		if _, err := w.insertName.exec(f.provider, name, f.n); err != nil {
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

// blob returns an empty slice for nil, as the driver stores nil as NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
