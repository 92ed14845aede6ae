package journal

import (
	"cmp"
	"context"
	"slices"
)

// selects reports whether a row passes the filter.
func (f *Filter) selects(r *Row) bool {
	return (len(f.Standings) == 0 || slices.Contains(f.Standings, r.Standing)) &&
		(f.Merchant == "" || f.Merchant == r.Key.Merchant) &&
		(f.Provider == "" || f.Provider == r.Provider) &&
		(f.Before.IsZero() || r.Since.Before(micro(f.Before)))
}

// List sorts all rows that pass: no program lists the flows of a journal in memory often enough
// for an index.
func (m *memory) List(ctx context.Context, f Filter, after Cursor, limit int) ([]Row, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []*record
	from := Cursor{micro(after.Due), after.ID}
	for _, rec := range m.rows {
		if f.selects(&rec.Row) && (after == Cursor{} || rec.place().compare(from) > 0) {
			found = append(found, rec)
		}
	}
	slices.SortFunc(found, func(a, b *record) int { return a.place().compare(b.place()) })
	var rows []Row
	for _, rec := range found[:min(len(found), max(limit, 0))] {
		r := rec.Row
		r.Names, r.State, r.Tombstone = nil, nil, nil
		rows = append(rows, r)
	}
	return rows, nil
}

// place is the position of a record in the order of List.
func (rec *record) place() Cursor { return Cursor{rec.Since, rec.ID} }

func (m *memory) Count(ctx context.Context, f Filter) ([]Tally, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	type group struct{ standing, merchant, provider string }
	counts := map[group]*Tally{}
	for _, rec := range m.rows {
		if !f.selects(&rec.Row) {
			continue
		}
		g := group{rec.Standing, rec.Key.Merchant, rec.Provider}
		t := counts[g]
		if t == nil {
			t = &Tally{Standing: g.standing, Merchant: g.merchant, Provider: g.provider, Oldest: rec.Since}
			counts[g] = t
		}
		t.Count++
		if rec.Since.Before(t.Oldest) {
			t.Oldest = rec.Since
		}
	}
	var all []Tally
	for _, t := range counts {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(a.Standing, b.Standing), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Provider, b.Provider))
	})
	return all, nil
}
