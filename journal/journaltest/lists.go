package journaltest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/journal"
)

// standing puts a flow that stands so since so many microseconds after the epoch.
func standing(t *testing.T, j journal.Journal, id, how string, micros int, change func(*journal.Row)) {
	t.Helper()
	r := flow(id)
	r.Standing, r.Since = how, epoch.Add(time.Duration(micros)*time.Microsecond)
	if change != nil {
		change(r)
	}
	put(t, j, r)
}

func listed(t *testing.T, j journal.Journal, f journal.Filter, want ...string) {
	t.Helper()
	rows, err := j.List(context.Background(), f, journal.Cursor{}, 1000)
	ids(t, fmt.Sprintf("List(%+v)", f), rows, err, want...)
}

var lists = []guarantee{
	{"a list is in the order of Since, then ID, over all standings", func(t *testing.T, j journal.Journal) {
		standing(t, j, "d", "open", 1, nil)
		standing(t, j, "b", "stuck", 2, nil)
		standing(t, j, "a", "done", 2, end)
		standing(t, j, "c", "", 0, nil)
		listed(t, j, journal.Filter{}, "c", "d", "a", "b")
		listed(t, j, journal.Filter{Standings: []string{"stuck", "open", "open", "unknown"}}, "d", "b")
		listed(t, j, journal.Filter{Standings: []string{""}}, "c")
	}},
	{"a list is by merchant, by provider, and by age", func(t *testing.T, j journal.Journal) {
		standing(t, j, "a", "open", 1, nil)
		standing(t, j, "b", "open", 2, func(r *journal.Row) { r.Key.Merchant = "globex" })
		standing(t, j, "c", "open", 3, func(r *journal.Row) { r.Provider = "vnpay" })
		standing(t, j, "d", "open", 4, func(r *journal.Row) { r.Key.Merchant = "" })
		listed(t, j, journal.Filter{Merchant: "acme"}, "a", "c")
		listed(t, j, journal.Filter{Provider: "momo"}, "a", "b", "d")
		listed(t, j, journal.Filter{Before: epoch.Add(3 * time.Microsecond)}, "a", "b")
		listed(t, j, journal.Filter{Merchant: "acme", Provider: "vnpay", Before: epoch.Add(time.Second), Standings: []string{"open"}}, "c")
		listed(t, j, journal.Filter{Merchant: "initech"})
	}},
	{"a list holds the last row of a flow, without its names and its state", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		second := next(a, func(r *journal.Row) { r.Standing, r.Since = "stuck", epoch.Add(time.Minute) })
		put(t, j, a)
		putLazily(t, j, second)
		listed(t, j, journal.Filter{Standings: []string{"open"}})
		rows, err := j.List(context.Background(), journal.Filter{}, journal.Cursor{}, 10)
		ids(t, "List", rows, err, "a")
		want := *second
		want.Names, want.State = nil, nil
		if diff := difference(&rows[0], &want); diff != "" {
			t.Fatalf("the listed row has another %s:\n got %+v\nwant %+v", diff, rows[0], want)
		}
		put(t, j, next(second, nil)) // the same standing
		listed(t, j, journal.Filter{Standings: []string{"stuck"}}, "a")
	}},
	{"pages of a list continue within equal times, and after rows that are gone", func(t *testing.T, j journal.Journal) {
		for i, id := range []string{"e", "b", "d", "a", "c"} {
			standing(t, j, id, []string{"open", "stuck"}[i%2], 7, nil)
		}
		var after journal.Cursor
		for _, want := range [][]string{{"a", "b"}, {"c", "d"}, {"e"}, nil} {
			rows, err := j.List(context.Background(), journal.Filter{}, after, 2)
			ids(t, "List", rows, err, want...)
			if len(rows) > 0 {
				last := rows[len(rows)-1]
				after = journal.Cursor{Due: last.Since, ID: last.ID}
			}
		}
		rows, err := j.List(context.Background(), journal.Filter{}, journal.Cursor{Due: epoch.Add(7 * time.Microsecond), ID: "bb"}, 10)
		ids(t, "List", rows, err, "c", "d", "e")
		for _, limit := range []int{0, -1} {
			rows, err := j.List(context.Background(), journal.Filter{}, journal.Cursor{}, limit)
			ids(t, "List", rows, err)
		}
	}},
	{"a row may have no Since", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		a.Since = time.Time{}
		put(t, j, a, flow("b"))
		stored(t, j, a)
		listed(t, j, journal.Filter{}, "a", "b")
	}},
	{"rows are counted by standing, merchant and provider, with the oldest", func(t *testing.T, j journal.Journal) {
		counted(t, j, journal.Filter{})
		standing(t, j, "a", "open", 2, nil)
		standing(t, j, "b", "open", 1, nil)
		standing(t, j, "c", "open", 3, func(r *journal.Row) { r.Key.Merchant = "globex" })
		standing(t, j, "d", "open", 4, func(r *journal.Row) { r.Provider = "vnpay" })
		standing(t, j, "e", "done", 0, end)
		at := func(micros int) time.Time { return epoch.Add(time.Duration(micros) * time.Microsecond) }
		counted(t, j, journal.Filter{},
			journal.Tally{Standing: "done", Merchant: "acme", Provider: "momo", Count: 1, Oldest: at(0)},
			journal.Tally{Standing: "open", Merchant: "acme", Provider: "momo", Count: 2, Oldest: at(1)},
			journal.Tally{Standing: "open", Merchant: "acme", Provider: "vnpay", Count: 1, Oldest: at(4)},
			journal.Tally{Standing: "open", Merchant: "globex", Provider: "momo", Count: 1, Oldest: at(3)},
		)
		counted(t, j, journal.Filter{Standings: []string{"open", "unknown"}, Before: at(3)},
			journal.Tally{Standing: "open", Merchant: "acme", Provider: "momo", Count: 2, Oldest: at(1)})
	}},
	{"a row whose tombstone is left is listed as before", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a, flow("b"))
		put(t, j, next(a, func(r *journal.Row) { end(r); r.Standing, r.Tombstone = "done", []byte("here lies a") }))
		if n, err := j.Prune(context.Background(), epoch.Add(time.Second)); n != 1 || err != nil {
			t.Fatalf("Prune removed %d, %v", n, err)
		}
		listed(t, j, journal.Filter{Standings: []string{"done"}}, "a")
	}},
	{"10,000 flows are listed by pages while they are written", func(t *testing.T, j journal.Journal) {
		const flows = 10_000
		for i := range flows {
			putLazily(t, j, flow(fmt.Sprintf("%05d", i)))
		}
		seen, after := 0, journal.Cursor{}
		for {
			rows, err := j.List(context.Background(), journal.Filter{Standings: []string{"open"}}, after, 500)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			for i := range rows {
				if rows[i].ID <= after.ID {
					t.Fatalf("%s comes after %s", rows[i].ID, after.ID)
				}
				after = journal.Cursor{Due: rows[i].Since, ID: rows[i].ID}
				seen++
			}
			// A flow behind the page moves on: it must not bring a flow twice, nor hide one.
			first := flow(rows[0].ID)
			putLazily(t, j, next(first, func(r *journal.Row) { end(r); r.Standing = "done" }))
		}
		if seen != flows {
			t.Fatalf("%d of %d flows were listed", seen, flows)
		}
	}},
}

func counted(t *testing.T, j journal.Journal, f journal.Filter, want ...journal.Tally) {
	t.Helper()
	got, err := j.Count(context.Background(), f)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Count(%+v) returned %v, %v; want %v", f, got, err, want)
	}
}

// selects is the plain reading of a filter.
func selects(f journal.Filter) func(journal.Row) bool {
	return func(r journal.Row) bool {
		if len(f.Standings) > 0 && !slices.Contains(f.Standings, r.Standing) {
			return false
		}
		if f.Merchant != "" && f.Merchant != r.Key.Merchant || f.Provider != "" && f.Provider != r.Provider {
			return false
		}
		return f.Before.IsZero() || r.Since.Before(f.Before)
	}
}

func someFilter(t *rapid.T) journal.Filter {
	f := journal.Filter{
		Standings: rapid.SliceOfN(someStandings, 0, 3).Draw(t, "standings"),
		Merchant:  rapid.SampledFrom([]string{"", "", "acme", "globex"}).Draw(t, "merchant"),
		Provider:  rapid.SampledFrom([]string{"", "", "momo", "vnpay"}).Draw(t, "provider"),
	}
	if rapid.Bool().Draw(t, "by age") {
		f.Before = someMoments.Draw(t, "before")
	}
	return f
}

func (s *comparison) list(t *rapid.T) {
	f, limit := someFilter(t), rapid.IntRange(0, 6).Draw(t, "limit")
	var after journal.Cursor
	if rapid.Bool().Draw(t, "from a cursor") {
		after = journal.Cursor{Due: someMoments.Draw(t, "after"), ID: someIDs.Draw(t, "after id")}
	}
	want := s.m.where(func(r journal.Row) bool {
		return selects(f)(r) && (after == journal.Cursor{} || cmp.Or(r.Since.Compare(after.Due), cmp.Compare(r.ID, after.ID)) > 0)
	})
	slices.SortFunc(want, func(a, b journal.Row) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	want = want[:min(limit, len(want))]
	for i := range want {
		want[i].Names, want[i].State = nil, nil
	}
	got, err := s.j.List(context.Background(), f, after, limit)
	s.same(t, fmt.Sprintf("List(%+v, %v)", f, after), got, err, want)
}

func (s *comparison) count(t *rapid.T) {
	f := someFilter(t)
	groups := map[journal.Tally]journal.Tally{}
	for _, r := range s.m.where(selects(f)) {
		group := journal.Tally{Standing: r.Standing, Merchant: r.Key.Merchant, Provider: r.Provider}
		sum, known := groups[group]
		if !known {
			sum = group
			sum.Oldest = r.Since
		}
		sum.Count++
		if r.Since.Before(sum.Oldest) {
			sum.Oldest = r.Since
		}
		groups[group] = sum
	}
	want := slices.SortedFunc(maps.Values(groups), func(a, b journal.Tally) int {
		return cmp.Or(cmp.Compare(a.Standing, b.Standing), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Provider, b.Provider))
	})
	got, err := s.j.Count(context.Background(), f)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Count(%+v) returned %v, %v; want %v", f, got, err, want)
	}
}
