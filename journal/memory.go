package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// memory stores a lazy row at once, and so refuses it at once: there is no disk to wait for.
type memory struct {
	mu     sync.Mutex
	closed bool
	last   int64 // the sequence number of the newest flow
	rows   map[string]*record
	open   map[Key]string // the open flow of each guarded key
	keys   map[Key][]*record
	names  map[providerName][]*record
	due    []Cursor // sorted
}

// record is a stored flow.
type record struct {
	Row
	seq    int64 // orders flows by age
	pruned bool  // its tombstone is left
}

type providerName struct{ provider, name string }

// NewMemory returns an empty journal that is lost with its process. It is for tests, and for
// programs that need no protection against a crash.
func NewMemory() Journal {
	return &memory{
		rows:  make(map[string]*record),
		open:  make(map[Key]string),
		keys:  make(map[Key][]*record),
		names: make(map[providerName][]*record),
	}
}

// lock locks the journal for a call. It fails if ctx has ended or the journal is closed.
func (m *memory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	return nil
}

func (m *memory) Put(ctx context.Context, r *Row, _ Durability) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()

	old, known := m.rows[r.ID]
	switch {
	case !known && r.Version != 1:
		return fmt.Errorf("%w: %s is not stored, version %d of it was put", ErrConflict, r.ID, r.Version)
	case known && r.Version != old.Version+1:
		return fmt.Errorf("%w: %s is at version %d, version %d was put", ErrConflict, r.ID, old.Version, r.Version)
	case known:
		if err := r.CheckAfter(old.Key, old.Provider); err != nil {
			return err
		}
	}
	guarded := r.Key.Payment != ""
	if other, taken := m.open[r.Key]; r.Open && guarded && taken && other != r.ID {
		return &OpenError{Key: r.Key, ID: other}
	}

	for _, other := range m.keys[r.Key] {
		if !known && guarded && r.Seen != nil && !slices.Contains(r.Seen, other.ID) {
			return &OpenError{Key: r.Key, ID: other.ID, Unseen: true}
		}
	}
	if !known {
		m.last++
		old = &record{seq: m.last}
		m.rows[r.ID] = old
		m.keys[r.Key] = append(m.keys[r.Key], old)
	}
	m.replace(old, r)
	if r.Open && guarded {
		m.open[r.Key] = r.ID
	} else if m.open[r.Key] == r.ID {
		delete(m.open, r.Key)
	}
	return nil
}

// Taken reports whether a row has a key that is not empty, or one of a provider's names.
func (m *memory) Taken(ctx context.Context, k Key, provider string, names ...string) (bool, error) {
	if err := m.lock(ctx); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	return k.Payment != "" && len(m.keys[k]) > 0 ||
		slices.ContainsFunc(names, func(name string) bool { return len(m.names[providerName{provider, name}]) > 0 }), nil
}

// replace overwrites a record and updates the indexes of due times and names.
func (m *memory) replace(old *record, r *Row) {
	m.unschedule(old)
	names := old.Names
	for _, name := range r.Names {
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		at := providerName{r.Provider, name}
		m.names[at] = append(m.names[at], old)
	}
	old.Row, old.Seen = *r, nil
	old.Names = names
	old.State, old.Tombstone, old.pruned = slices.Clone(r.State), slices.Clone(r.Tombstone), false
	old.At, old.Since = micro(r.At), micro(r.Since)
	if !r.Due.IsZero() {
		old.Due = micro(r.Due)
		at, _ := m.dueIndex(old)
		m.due = slices.Insert(m.due, at, Cursor{old.Due, old.ID})
	}
}

func (m *memory) unschedule(rec *record) {
	if rec.Due.IsZero() {
		return
	}
	at, _ := m.dueIndex(rec)
	m.due = slices.Delete(m.due, at, at+1)
}

func (m *memory) dueIndex(rec *record) (int, bool) {
	return slices.BinarySearchFunc(m.due, Cursor{rec.Due, rec.ID}, Cursor.compare)
}

func (c Cursor) compare(d Cursor) int {
	return cmp.Or(c.Due.Compare(d.Due), cmp.Compare(c.ID, d.ID))
}

// micro cuts a time to what every journal keeps, so that tests on this one find no more
// precision than SQLite has.
func micro(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// copies returns deep copies, the oldest first, each once. It sorts its argument.
func copies(records []*record) []Row {
	slices.SortFunc(records, func(a, b *record) int { return cmp.Compare(a.seq, b.seq) })
	var out []Row
	for _, rec := range slices.Compact(records) {
		out = append(out, rec.copy())
	}
	return out
}

func (rec *record) copy() Row {
	r := rec.Row
	r.Names = slices.Clone(r.Names)
	r.State, r.Tombstone = slices.Clone(r.State), nil
	return r
}

func (m *memory) Get(ctx context.Context, id string) (Row, error) {
	if err := m.lock(ctx); err != nil {
		return Row{}, err
	}
	defer m.mu.Unlock()
	rec, known := m.rows[id]
	if !known {
		return Row{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return rec.copy(), nil
}

func (m *memory) ByKey(ctx context.Context, k Key) ([]Row, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return copies(slices.Clone(m.keys[k])), nil
}

func (m *memory) Named(ctx context.Context, provider string, names ...string) ([]Row, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []*record
	for _, name := range names {
		found = append(found, m.names[providerName{provider, name}]...)
	}
	return copies(found), nil
}

func (m *memory) Due(ctx context.Context, by time.Time, after Cursor, limit int) ([]Row, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	from, exact := slices.BinarySearchFunc(m.due, Cursor{micro(after.Due), after.ID}, Cursor.compare)
	if exact {
		from++
	}
	var rows []Row
	for _, c := range m.due[from:] {
		if len(rows) >= limit || c.Due.After(by) {
			break
		}
		rows = append(rows, m.rows[c.ID].copy())
	}
	return rows, nil
}

func (m *memory) Prune(ctx context.Context, before time.Time) (int, error) {
	if err := m.lock(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	n := 0
	for id, rec := range m.rows {
		if !rec.Due.IsZero() || !rec.At.Before(micro(before)) || rec.pruned {
			continue
		}
		n++
		for _, name := range rec.Names {
			unindex(m.names, providerName{rec.Provider, name}, rec)
		}
		if len(rec.Tombstone) > 0 {
			rec.State, rec.Names, rec.pruned = rec.Tombstone, nil, true
			continue
		}
		delete(m.rows, id)
		unindex(m.keys, rec.Key, rec)
	}
	return n, nil
}

// unindex removes a record from an index. It deletes an entry that becomes empty, so that
// the index does not grow for ever.
func unindex[K comparable](index map[K][]*record, at K, rec *record) {
	rest := slices.DeleteFunc(index[at], func(other *record) bool { return other == rec })
	if len(rest) == 0 {
		delete(index, at)
		return
	}
	index[at] = rest
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.closed = true
	m.rows, m.open, m.keys, m.names, m.due = nil, nil, nil, nil, nil
	return nil
}
