package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Memory is a journal that ends with its process: for tests, and for those who need no
// more. It refuses lazy rows at once, as there is nothing to wait for.
type Memory struct {
	mu     sync.Mutex
	closed bool
	born   int64 // the number of flows ever stored
	rows   map[string]*kept
	open   map[Key]string // the open flow of each key that guards
	keys   map[Key][]*kept
	names  map[providerName][]*kept
	due    []Cursor // in order
}

// kept is a stored flow. Its number gives the order of age.
type kept struct {
	Row
	born int64
}

type providerName struct{ provider, name string }

var _ Journal = (*Memory)(nil)

// NewMemory returns an empty journal.
func NewMemory() *Memory {
	return &Memory{
		rows:  make(map[string]*kept),
		open:  make(map[Key]string),
		keys:  make(map[Key][]*kept),
		names: make(map[providerName][]*kept),
	}
}

// enter locks the journal for a call, unless the call comes too late.
func (m *Memory) enter(ctx context.Context) error {
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

// Put implements [Journal].
func (m *Memory) Put(ctx context.Context, r *Row, _ Durability) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
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
	guards := r.Key.Payment != ""
	if other, taken := m.open[r.Key]; r.Open && guards && taken && other != r.ID {
		return &OpenError{Key: r.Key, ID: other}
	}

	if !known {
		m.born++
		old = &kept{born: m.born}
		m.rows[r.ID] = old
		m.keys[r.Key] = append(m.keys[r.Key], old)
	}
	m.replace(old, r)
	if r.Open && guards {
		m.open[r.Key] = r.ID
	} else if m.open[r.Key] == r.ID {
		delete(m.open, r.Key)
	}
	return nil
}

// replace puts a row in the place of another, in the index of times and of names too.
func (m *Memory) replace(old *kept, r *Row) {
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
	old.Row = *r
	old.Names = names
	old.State = slices.Clone(r.State)
	old.At = micro(r.At)
	if !r.Due.IsZero() {
		old.Due = micro(r.Due)
		at, _ := m.dueAt(old)
		m.due = slices.Insert(m.due, at, Cursor{old.Due, old.ID})
	}
}

func (m *Memory) unschedule(k *kept) {
	if k.Due.IsZero() {
		return
	}
	at, _ := m.dueAt(k)
	m.due = slices.Delete(m.due, at, at+1)
}

func (m *Memory) dueAt(k *kept) (int, bool) {
	return slices.BinarySearchFunc(m.due, Cursor{k.Due, k.ID}, Cursor.compare)
}

func (c Cursor) compare(d Cursor) int {
	return cmp.Or(c.Due.Compare(d.Due), cmp.Compare(c.ID, d.ID))
}

func micro(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// copied gives a caller rows of its own, the oldest first.
func copied(rows []*kept) []Row {
	slices.SortFunc(rows, func(a, b *kept) int { return cmp.Compare(a.born, b.born) })
	var out []Row
	for _, k := range slices.Compact(rows) {
		out = append(out, k.copy())
	}
	return out
}

func (k *kept) copy() Row {
	r := k.Row
	r.Names = slices.Clone(r.Names)
	r.State = slices.Clone(r.State)
	return r
}

// Get implements [Journal].
func (m *Memory) Get(ctx context.Context, id string) (Row, error) {
	if err := m.enter(ctx); err != nil {
		return Row{}, err
	}
	defer m.mu.Unlock()
	k, known := m.rows[id]
	if !known {
		return Row{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return k.copy(), nil
}

// ByKey implements [Journal].
func (m *Memory) ByKey(ctx context.Context, k Key) ([]Row, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return copied(slices.Clone(m.keys[k])), nil
}

// Named implements [Journal].
func (m *Memory) Named(ctx context.Context, provider string, names ...string) ([]Row, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []*kept
	for _, name := range names {
		found = append(found, m.names[providerName{provider, name}]...)
	}
	return copied(found), nil
}

// Due implements [Journal].
func (m *Memory) Due(ctx context.Context, by time.Time, after Cursor, limit int) ([]Row, error) {
	if err := m.enter(ctx); err != nil {
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

// Prune implements [Journal].
func (m *Memory) Prune(ctx context.Context, before time.Time) (int, error) {
	if err := m.enter(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	n := 0
	for id, k := range m.rows {
		if !k.Due.IsZero() || !k.At.Before(micro(before)) {
			continue
		}
		n++
		delete(m.rows, id)
		forget(m.keys, k.Key, k)
		for _, name := range k.Names {
			forget(m.names, providerName{k.Provider, name}, k)
		}
	}
	return n, nil
}

// forget takes a flow out of an index, and the entry with the last of its flows.
func forget[K comparable](index map[K][]*kept, at K, k *kept) {
	rest := slices.DeleteFunc(index[at], func(other *kept) bool { return other == k })
	if len(rest) == 0 {
		delete(index, at)
		return
	}
	index[at] = rest
}

// Close implements [Journal].
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.closed = true
	m.rows, m.open, m.keys, m.names, m.due = nil, nil, nil, nil, nil
	return nil
}
