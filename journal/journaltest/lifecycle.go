package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

var lazyRows = []guarantee{
	{"a lazy row is read at once", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		putLazily(t, j, a)
		stored(t, j, a)
		b := next(a, func(r *journal.Row) { r.Names = append(r.Names, "txn-1") })
		putLazily(t, j, b)
		named(t, j, "momo", []string{"txn-1"}, "a")
		c := next(b, func(r *journal.Row) { r.Due = epoch.Add(time.Hour) })
		putLazily(t, j, c)
		due(t, j, epoch)
		d := next(c, end)
		putLazily(t, j, d)
		byKey(t, j, a.Key, "a")
		stored(t, j, d)
	}},
	{"lazy and synced rows are stored in the order of their puts", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		for i := range 200 {
			if i%3 == 0 {
				put(t, j, a)
			} else {
				putLazily(t, j, a)
			}
			a = next(a, func(r *journal.Row) { r.Names = []string{fmt.Sprint("name-", r.Version)} })
		}
		refused(t, j, next(a, nil), journal.ErrConflict)
		put(t, j, a)
		named(t, j, "momo", []string{"name-2", "name-77", "name-201"}, "a")
	}},
	{"a lazy end frees the key for the next flow", func(t *testing.T, j journal.Journal) {
		k := flow("a").Key
		for i := range 50 {
			r := flow(fmt.Sprint(i))
			r.Key = k
			putLazily(t, j, r, next(r, end))
		}
		last := flow("last")
		last.Key = k
		put(t, j, last)
	}},
	{"lazy flows keep the order of their age", func(t *testing.T, j journal.Journal) {
		var want []string
		k := journal.Key{Merchant: "acme"}
		for i := range 30 {
			r := flow(fmt.Sprint("f", (i*7)%30))
			r.Key = k
			want = append(want, r.ID)
			putLazily(t, j, r)
			if i%2 == 0 {
				putLazily(t, j, next(r, end))
			}
		}
		byKey(t, j, k, want...)
	}},
	{"the row after a lazy one that was refused is a conflict", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a, next(a, nil))
		mine := next(a, func(r *journal.Row) { r.State = []byte("mine"); r.Names = []string{"mine"} })
		if putRefused(t, j, mine) { // another writer was first
			refused(t, j, next(mine, nil), journal.ErrConflict)
		}
		got := get(t, j, "a")
		if string(got.State) == "mine" {
			t.Fatal("a refused row was stored")
		}
		named(t, j, "momo", []string{"mine"})
		put(t, j, next(&got, nil)) // a writer that has read the flow can continue
	}},
	{"the rows after a lazy one whose key is taken are conflicts", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Key = a.Key
		put(t, j, a)
		putRefused(t, j, b)
		putRefused(t, j, next(b, nil))
		refused(t, j, next(next(b, nil), nil), journal.ErrConflict)
		byKey(t, j, a.Key, "a")
	}},
}

// putRefused puts a row lazily that the journal must refuse. It reports whether Put returned
// nil, as the refusal may come later.
func putRefused(t *testing.T, j journal.Journal, r *journal.Row) (accepted bool) {
	t.Helper()
	err := j.Put(context.Background(), r, journal.Lazy)
	var open *journal.OpenError
	if err != nil && !errors.Is(err, journal.ErrConflict) && !errors.As(err, &open) {
		t.Fatalf("lazy Put of %s version %d: %v", r.ID, r.Version, err)
	}
	return err == nil
}

var lifecycle = []guarantee{
	{"rows are copied on the way in and on the way out", func(t *testing.T, j journal.Journal) {
		for _, d := range []journal.Durability{journal.Synced, journal.Lazy} {
			a, want := flow(fmt.Sprint(d)), flow(fmt.Sprint(d))
			if err := j.Put(context.Background(), a, d); err != nil {
				t.Fatal(err)
			}
			overwrite := func(r *journal.Row) {
				copy(r.State, "YYYYYYYY")
				r.Names[0] = "overwritten"
			}
			overwrite(a)
			got := get(t, j, a.ID)
			overwrite(&got)
			stored(t, j, want)
		}
	}},
	{"Prune deletes ended rows that are not due, with their names", func(t *testing.T, j journal.Journal) {
		for _, id := range []string{"done", "recent", "open", "due"} {
			r := flow(id)
			put(t, j, r)
			end := next(r, end)
			switch id {
			case "recent":
				end.At = epoch.Add(time.Hour)
			case "open":
				continue
			case "due":
				end.Due = epoch
			}
			put(t, j, end)
		}
		if n, err := j.Prune(context.Background(), epoch); n != 0 || err != nil {
			t.Fatalf("Prune before any row removed %d, %v", n, err)
		}
		if n, err := j.Prune(context.Background(), epoch.Add(time.Second)); n != 1 || err != nil {
			t.Fatalf("Prune removed %d, %v; want 1", n, err)
		}
		if _, err := j.Get(context.Background(), "done"); !errors.Is(err, journal.ErrNotFound) {
			t.Fatalf("Get of a pruned flow returned %v", err)
		}
		named(t, j, "momo", []string{"order-done", "order-recent", "order-open", "order-due"}, "recent", "open", "due")
		byKey(t, j, flow("done").Key)
		put(t, j, flow("done"))
	}},
	{"Prune leaves the tombstone of a row, and its key", func(t *testing.T, j journal.Journal) {
		var paid journal.Row
		for _, id := range []string{"paid", "failed"} {
			r := flow(id)
			put(t, j, r)
			r = next(r, end)
			if id == "paid" {
				r.Tombstone = []byte("here lies " + id)
				paid = *r
			}
			put(t, j, r)
		}
		for i, want := range []int{2, 0} {
			if n, err := j.Prune(context.Background(), epoch.Add(time.Second)); n != want || err != nil {
				t.Fatalf("Prune number %d removed %d, %v; want %d", i+1, n, err, want)
			}
		}
		named(t, j, "momo", []string{"order-paid", "order-failed"})
		byKey(t, j, flow("failed").Key)
		all, err := j.ByKey(context.Background(), paid.Key)
		got := get(t, j, "paid")
		if err != nil || len(all) != 1 || string(all[0].State) != "here lies paid" || string(got.State) != "here lies paid" || len(got.Names) != 0 || got.Version != paid.Version {
			t.Fatalf("of the pruned row is left %+v, by its key %+v, %v", got, all, err)
		}
		// A person may still have something to say of it.
		again := next(&got, func(r *journal.Row) { r.State, r.Names = []byte("resolved"), []string{"order-late"} })
		put(t, j, again)
		named(t, j, "momo", []string{"order-late"}, "paid")
		if n, err := j.Prune(context.Background(), epoch.Add(time.Second)); n != 1 || err != nil {
			t.Fatalf("Prune of the row that was written again removed %d, %v", n, err)
		}
	}},
	{"Prune deletes lazy rows, and hundreds at once", func(t *testing.T, j journal.Journal) {
		for i := range 700 {
			r := flow(fmt.Sprint(i))
			end(r)
			putLazily(t, j, r)
		}
		if n, err := j.Prune(context.Background(), epoch.Add(time.Second)); n != 700 || err != nil {
			t.Fatalf("Prune removed %d, %v; want 700", n, err)
		}
	}},
	{"calls after Close return ErrClosed", func(t *testing.T, j journal.Journal) {
		put(t, j, flow("a"))
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for call, err := range everyCall(context.Background(), j) {
			if !errors.Is(err, journal.ErrClosed) {
				t.Errorf("%s returned %v, want ErrClosed", call, err)
			}
		}
		if err := j.Close(); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("Close returned %v, want ErrClosed", err)
		}
	}},
	{"a call whose context has ended changes nothing", func(t *testing.T, j journal.Journal) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for call, err := range everyCall(ctx, j) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s returned %v, want context.Canceled", call, err)
			}
		}
		if _, err := j.Get(context.Background(), "b"); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("a row was stored: %v", err)
		}
	}},
	{"Close during puts: every call returns, with nil or ErrClosed", func(t *testing.T, j journal.Journal) {
		var all sync.WaitGroup
		for w := range 20 {
			all.Go(func() {
				for i := range 1000 {
					d := journal.Durability(i % 2)
					if err := j.Put(context.Background(), flow(fmt.Sprint(w, "-", i)), d); err != nil {
						if !errors.Is(err, journal.ErrClosed) {
							t.Errorf("Put: %v", err)
						}
						return
					}
				}
			})
		}
		put(t, j, flow("first"))
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	}},
}

// everyCall calls each method once. It puts flow b.
func everyCall(ctx context.Context, j journal.Journal) map[string]error {
	errs := map[string]error{
		"Put":      j.Put(ctx, flow("b"), journal.Synced),
		"lazy Put": j.Put(ctx, flow("b"), journal.Lazy),
	}
	_, errs["Get"] = j.Get(ctx, "a")
	_, errs["ByKey"] = j.ByKey(ctx, flow("a").Key)
	_, errs["Named"] = j.Named(ctx, "momo", "order-a")
	_, errs["Due"] = j.Due(ctx, epoch, journal.Cursor{}, 1)
	_, errs["List"] = j.List(ctx, journal.Filter{}, journal.Cursor{}, 1)
	_, errs["List of one standing"] = j.List(ctx, journal.Filter{Standings: []string{"open"}}, journal.Cursor{}, 0)
	_, errs["Count"] = j.Count(ctx, journal.Filter{})
	_, errs["Prune"] = j.Prune(ctx, epoch)
	return errs
}

var sizes = []guarantee{
	{"a state may have a megabyte, or no byte", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		a.State = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		b.State = nil
		put(t, j, a, b)
		stored(t, j, a)
		stored(t, j, b)
		c := next(a, func(r *journal.Row) { r.State = nil })
		put(t, j, c)
		stored(t, j, c)
	}},
	{"texts may be long", func(t *testing.T, j journal.Journal) {
		a := flow(strings.Repeat("i", 1000))
		a.Names = []string{strings.Repeat("n", 5000)}
		a.Key.Payment = strings.Repeat("p", 5000)
		put(t, j, a)
		stored(t, j, a)
		named(t, j, "momo", a.Names, a.ID)
	}},
	{"5,000 rows of 50 writers", func(t *testing.T, j journal.Journal) {
		var all sync.WaitGroup
		for w := range 50 {
			all.Go(func() {
				for i := range 50 {
					r := flow(fmt.Sprintf("%02d-%02d", w, i))
					put(t, j, r)
					putLazily(t, j, next(r, nil))
				}
			})
		}
		all.Wait()
		seen := 0
		var after journal.Cursor
		for {
			rows, err := j.Due(context.Background(), epoch, after, 333)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				if r.ID <= after.ID || r.Version != 2 {
					t.Fatalf("%s version %d comes after %s", r.ID, r.Version, after.ID)
				}
				after = journal.Cursor{Due: r.Due, ID: r.ID}
				seen++
			}
		}
		if seen != 2500 {
			t.Fatalf("%d of 2,500 flows are due", seen)
		}
	}},
}
