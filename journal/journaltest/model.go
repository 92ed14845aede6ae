package journaltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// model is a journal without an index: a list of rows in the order of their age. It is slow,
// and simple enough to be checked by reading it.
type model struct{ rows []journal.Row }

func (m *model) find(id string) int {
	return slices.IndexFunc(m.rows, func(r journal.Row) bool { return r.ID == id })
}

// put returns the error that the journal must return. It stores the row if there is none.
func (m *model) put(r journal.Row) error {
	at := m.find(r.ID)
	if at < 0 && r.Version != 1 || at >= 0 && r.Version != m.rows[at].Version+1 {
		return journal.ErrConflict
	}
	for i, other := range m.rows {
		if i != at && r.Open && other.Open && r.Key == other.Key && r.Key.Payment != "" {
			return &journal.OpenError{Key: r.Key, ID: other.ID}
		}
	}
	for _, other := range m.rows {
		if at < 0 && r.Seen != nil && r.Key == other.Key && r.Key.Payment != "" && !slices.Contains(r.Seen, other.ID) {
			return &journal.OpenError{Key: r.Key, ID: other.ID, Unseen: true}
		}
	}
	r.Seen = nil
	if at < 0 {
		m.rows = append(m.rows, journal.Row{})
		at = len(m.rows) - 1
	}
	union := m.rows[at].Names
	for _, name := range r.Names {
		if !slices.Contains(union, name) {
			union = append(union, name)
		}
	}
	r.Names = union
	m.rows[at] = r
	return nil
}

func (m *model) where(is func(journal.Row) bool) []journal.Row {
	var found []journal.Row
	for _, r := range m.rows {
		if is(r) {
			found = append(found, r)
		}
	}
	return found
}

func (m *model) due(by time.Time, after journal.Cursor, limit int) []journal.Row {
	found := m.where(func(r journal.Row) bool {
		return !r.Due.IsZero() && !r.Due.After(by) && cmp.Or(r.Due.Compare(after.Due), cmp.Compare(r.ID, after.ID)) > 0
	})
	slices.SortFunc(found, func(a, b journal.Row) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(limit, len(found))]
}

// compareWithModel applies random operations to a journal and to the model. Ids, keys, names
// and times are few, so that they collide often.
func compareWithModel(t *testing.T, open func(t *testing.T) journal.Journal) {
	rapid.Check(t, func(rt *rapid.T) {
		j := open(t)
		defer j.Close()
		s := &comparison{t: rt, j: j}
		rt.Repeat(map[string]func(*rapid.T){
			"put":   s.put,
			"get":   s.get,
			"key":   s.byKey,
			"named": s.named,
			"taken": s.taken,
			"due":   s.due,
			"list":  s.list,
			"count": s.count,
			"prune": s.prune,
		})
	})
}

type comparison struct {
	t *rapid.T
	j journal.Journal
	m model
}

var (
	someIDs       = rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
	someProviders = map[string]string{"a": "momo", "b": "momo", "c": "momo", "d": "vnpay", "e": "vnpay"}
	someMerchants = map[string]string{"a": "acme", "b": "acme", "c": "acme", "d": "acme", "e": "globex"}
	someStandings = rapid.SampledFrom([]string{"", "open", "stuck", "done"})
	somePayments  = map[string]string{"a": "p", "b": "p", "c": "q", "d": "p", "e": ""}
	someNames     = rapid.SliceOfN(rapid.SampledFrom([]string{"n1", "n2", "n3", "n4"}), 0, 3)
	someMoments   = rapid.Custom(func(t *rapid.T) time.Time {
		return epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "moment")) * time.Microsecond)
	})
)

func keyOf(id string) journal.Key {
	return journal.Key{Merchant: someMerchants[id], Operation: policy.Pay, Payment: somePayments[id]}
}

func (s *comparison) put(t *rapid.T) {
	id := someIDs.Draw(t, "id")
	version := int64(1)
	if at := s.m.find(id); at >= 0 {
		version = s.m.rows[at].Version + 1
	}
	version += rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 1, -1}).Draw(t, "off by")
	r := journal.Row{
		ID: id, Version: max(version, 1), Key: keyOf(id), Provider: someProviders[id],
		Names: someNames.Draw(t, "names"), Open: rapid.Bool().Draw(t, "open"), At: someMoments.Draw(t, "at"),
		State:    rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "state"),
		Standing: someStandings.Draw(t, "standing"), Since: someMoments.Draw(t, "since"),
	}
	if r.Open || rapid.Bool().Draw(t, "is due") {
		r.Due = someMoments.Draw(t, "due")
	}
	if version == 1 && ofOneProcess(s.j) && rapid.Bool().Draw(t, "has looked") {
		r.Seen = rapid.SliceOfNDistinct(someIDs, 0, 5, rapid.ID[string]).Draw(t, "seen")
		if r.Seen == nil {
			r.Seen = []string{}
		}
	}
	want := s.m.put(r)
	if rapid.Bool().Draw(t, "lazy") {
		s.putLazily(t, r, want)
		return
	}
	if got := s.j.Put(context.Background(), &r, journal.Synced); !sameRefusal(got, want) {
		t.Fatalf("Put of %s version %d returned %v, want %v", id, r.Version, got, want)
	}
}

// putLazily allows both behaviours that the interface allows. A row that must be refused may
// be refused at once, or later: then the next row of its writer must be a conflict.
func (s *comparison) putLazily(t *rapid.T, r journal.Row, want error) {
	got := s.j.Put(context.Background(), &r, journal.Lazy)
	if want == nil || got != nil {
		if !sameRefusal(got, want) {
			t.Fatalf("lazy Put of %s version %d returned %v, want %v", r.ID, r.Version, got, want)
		}
		return
	}
	at := s.m.find(r.ID)
	if at < 0 {
		return
	}
	after := r
	after.Version++
	if err := s.j.Put(context.Background(), &after, journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("version %d of %s returned %v, though version %d was refused", after.Version, r.ID, err, r.Version)
	}
	stored, err := s.j.Get(context.Background(), r.ID)
	if err != nil || stored.Version < s.m.rows[at].Version {
		t.Fatalf("after a refused row %s is at %d (%v)", r.ID, stored.Version, err)
	}
	s.m.rows[at].Version = stored.Version // versions may have gaps
}

func sameRefusal(got, want error) bool {
	var a, b *journal.OpenError
	if errors.As(want, &a) {
		return errors.As(got, &b) && *a == *b
	}
	return errors.Is(got, want)
}

// ofOneProcess reports whether a journal need not be one for several processes at once: then the first row must be refused of
// a flow whose key has one that its writer has not seen.
func ofOneProcess(j journal.Journal) bool {
	_, several := j.(interface {
		Claim(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error)
	})
	return !several
}

func (s *comparison) same(t *rapid.T, what string, got []journal.Row, err error, want []journal.Row) {
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(got) != len(want) {
		t.Fatalf("%s found %d rows, want %d:\n got %v\nwant %v", what, len(got), len(want), got, want)
	}
	for i := range got {
		if diff := difference(&got[i], &want[i]); diff != "" {
			t.Fatalf("%s, row %d has another %s:\n got %+v\nwant %+v", what, i+1, diff, got[i], want[i])
		}
	}
}

func (s *comparison) get(t *rapid.T) {
	id := someIDs.Draw(t, "id")
	want := s.m.where(func(r journal.Row) bool { return r.ID == id })
	got, err := s.j.Get(context.Background(), id)
	if len(want) == 0 {
		if !errors.Is(err, journal.ErrNotFound) {
			t.Fatalf("Get(%s) returned %v, want ErrNotFound", id, err)
		}
		return
	}
	s.same(t, "Get", []journal.Row{got}, err, want)
}

func (s *comparison) byKey(t *rapid.T) {
	k := keyOf(someIDs.Draw(t, "id"))
	got, err := s.j.ByKey(context.Background(), k)
	s.same(t, "ByKey", got, err, s.m.where(func(r journal.Row) bool { return r.Key == k }))
}

func (s *comparison) named(t *rapid.T) {
	provider := rapid.SampledFrom([]string{"momo", "vnpay", "zalopay"}).Draw(t, "provider")
	names := someNames.Draw(t, "names")
	got, err := s.j.Named(context.Background(), provider, names...)
	s.same(t, fmt.Sprintf("Named(%s, %q)", provider, names), got, err, s.m.where(func(r journal.Row) bool {
		return r.Provider == provider && slices.ContainsFunc(r.Names, func(n string) bool { return slices.Contains(names, n) })
	}))
}

// taken holds what a journal may have beside the interface to what it stands for.
func (s *comparison) taken(t *rapid.T) {
	j, has := s.j.(interface {
		Taken(ctx context.Context, k journal.Key, provider string, names ...string) (bool, error)
	})
	if !has {
		return
	}
	k := keyOf(someIDs.Draw(t, "id"))
	provider := rapid.SampledFrom([]string{"momo", "vnpay", "zalopay"}).Draw(t, "provider")
	names := someNames.Draw(t, "names")
	names = names[:min(2, len(names))]
	want := len(s.m.where(func(r journal.Row) bool {
		return r.Key == k && k.Payment != "" || r.Provider == provider && slices.ContainsFunc(r.Names, func(n string) bool { return slices.Contains(names, n) })
	})) > 0
	if got, err := j.Taken(context.Background(), k, provider, names...); err != nil || got != want {
		t.Fatalf("Taken(%v, %s, %q) is %t (%v), want %t", k, provider, names, got, err, want)
	}
}

func (s *comparison) due(t *rapid.T) {
	by := someMoments.Draw(t, "by")
	var after journal.Cursor
	if rapid.Bool().Draw(t, "from a cursor") {
		after = journal.Cursor{Due: someMoments.Draw(t, "after"), ID: someIDs.Draw(t, "after id")}
	}
	limit := rapid.IntRange(0, 6).Draw(t, "limit")
	got, err := s.j.Due(context.Background(), by, after, limit)
	s.same(t, "Due", got, err, s.m.due(by, after, limit))
}

func (s *comparison) prune(t *rapid.T) {
	before := someMoments.Draw(t, "before")
	prunable := func(r journal.Row) bool { return r.Due.IsZero() && r.At.Before(before) }
	want := len(s.m.where(prunable))
	s.m.rows = slices.DeleteFunc(s.m.rows, prunable)
	if got, err := s.j.Prune(context.Background(), before); err != nil || got != want {
		t.Fatalf("Prune removed %d (%v), want %d", got, err, want)
	}
}
