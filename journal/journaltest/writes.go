package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

var versions = []guarantee{
	{"a row comes back as it was put", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		a.Names = []string{"order-a", "ünï\x00\xff 7", ""}
		a.State = []byte{0, 1, 2, 0xff}
		put(t, j, a)
		stored(t, j, a)
	}},
	{"row n replaces row n-1", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		b := next(a, nil)
		put(t, j, a, b, next(b, end))
		stored(t, j, next(b, end))
	}},
	{"a first row of a stored flow is refused and changes nothing", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a)
		again := flow("a")
		again.State = []byte("another writer's")
		again.Names = []string{"another-name"}
		refused(t, j, again, journal.ErrConflict)
		stored(t, j, a)
		named(t, j, "momo", []string{"another-name"})
	}},
	{"a version that does not follow is refused and changes nothing", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		second := next(a, nil)
		put(t, j, a, second)
		for _, version := range []int64{1, 2, 4, 1 << 40} {
			refused(t, j, next(a, func(r *journal.Row) { r.Version = version; end(r) }), journal.ErrConflict)
		}
		stored(t, j, second)
	}},
	{"a later version of an unknown flow is refused", func(t *testing.T, j journal.Journal) {
		refused(t, j, next(flow("a"), nil), journal.ErrConflict)
		if _, err := j.Get(context.Background(), "a"); !errors.Is(err, journal.ErrNotFound) {
			t.Fatalf("Get returned %v, want ErrNotFound", err)
		}
	}},
	{"of 50 writers of one version exactly one wins", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a)
		for range 20 {
			a = fiftyWriters(t, j, a)
			stored(t, j, a)
		}
	}},
	{"an invalid row is refused", func(t *testing.T, j journal.Journal) {
		for what, invalidate := range map[string]func(*journal.Row){
			"no id":                func(r *journal.Row) { r.ID = "" },
			"version 0":            func(r *journal.Row) { r.Version = 0 },
			"open and never due":   func(r *journal.Row) { end(r); r.Open = true },
			"an unknown operation": func(r *journal.Row) { r.Key.Operation = policy.Operation(200) },
			"a negative version":   func(r *journal.Row) { r.Version = -1 },
		} {
			a := flow("a")
			invalidate(a)
			if err := j.Put(context.Background(), a, journal.Synced); err == nil {
				t.Errorf("%s: stored", what)
			}
		}
	}},
	{"a flow keeps its key and its provider", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a)
		for _, change := range []func(*journal.Row){
			func(r *journal.Row) { r.Key.Payment = "cart-other" },
			func(r *journal.Row) { r.Key.Merchant = "other" },
			func(r *journal.Row) { r.Key.Operation = policy.Refund },
			func(r *journal.Row) { r.Provider = "vnpay" },
		} {
			if err := j.Put(context.Background(), next(a, change), journal.Synced); err == nil {
				t.Error("a row with another key or provider was stored")
			}
		}
		stored(t, j, a)
	}},
}

// fiftyWriters puts the same version from 50 goroutines. It returns the row that was stored.
func fiftyWriters(t *testing.T, j journal.Journal, a *journal.Row) *journal.Row {
	t.Helper()
	var won atomic.Pointer[journal.Row]
	var wins atomic.Int64
	var all sync.WaitGroup
	for w := range 50 {
		all.Go(func() {
			mine := next(a, func(r *journal.Row) { r.State = fmt.Appendf(nil, "of writer %d", w) })
			switch err := j.Put(context.Background(), mine, journal.Synced); {
			case err == nil:
				wins.Add(1)
				won.Store(mine)
			case !errors.Is(err, journal.ErrConflict):
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Fatalf("%d of 50 writers of version %d won", wins.Load(), a.Version+1)
	}
	return won.Load()
}

var keys = []guarantee{
	{"a second open flow of a key is refused, and the open one is named", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Key = a.Key
		put(t, j, a)
		refusedFor(t, j, b, "a")
		named(t, j, "momo", []string{"order-b"})
		due(t, j, epoch, "a")
	}},
	{"a second flow of a key is stored when the first has ended", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Key = a.Key
		put(t, j, a, next(a, end), b)
		byKey(t, j, a.Key, "a", "b")
	}},
	{"an ended flow beside an open one of its key is stored", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Key = a.Key
		end(b)
		put(t, j, a, b)
	}},
	{"a flow that reopens beside an open one of its key is refused", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Key = a.Key
		ended := next(a, end)
		put(t, j, a, ended, b)
		again := next(ended, func(r *journal.Row) { r.Open, r.Due = true, epoch })
		refusedFor(t, j, again, "b")
		stored(t, j, ended)
		put(t, j, next(b, end), again)
		stored(t, j, again)
		refusedFor(t, j, next(next(b, end), func(r *journal.Row) { r.Open, r.Due = true, epoch }), "a")
	}},
	{"a first row is refused whose key has a flow that its writer has not seen", func(t *testing.T, j journal.Journal) {
		if !ofOneProcess(j) {
			return
		}
		a, b, c := flow("a"), flow("b"), flow("c")
		b.Key, c.Key = a.Key, a.Key
		a.Seen = []string{}
		put(t, j, a, next(a, end))
		b.Seen = []string{"another"}
		refusedUnseen(t, j, b, "a")
		named(t, j, "momo", []string{"order-b"})
		b.Seen = []string{"a"}
		put(t, j, b)
		refusedFor(t, j, c, "b") // it has not looked
		c.Seen = []string{"a"}
		refusedFor(t, j, c, "b")
		put(t, j, next(b, end))
		refusedUnseen(t, j, c, "b")
		c.Seen = []string{"b", "a"}
		put(t, j, c)
		d := flow("d")
		d.Key.Payment, d.Seen = "", []string{}
		e := flow("e")
		e.Key, e.Seen = d.Key, []string{}
		put(t, j, d, e) // not guarded
	}},
	{"of 50 flows of one key that begin and end at once, and whose writers have seen none, exactly one is stored", func(t *testing.T, j journal.Journal) {
		if !ofOneProcess(j) {
			return
		}
		var wins atomic.Int64
		var all sync.WaitGroup
		for w := range 50 {
			all.Go(func() {
				r := flow(fmt.Sprint(w))
				r.Key, r.Seen = flow("a").Key, []string{}
				open := (*journal.OpenError)(nil)
				switch err := j.Put(context.Background(), r, journal.Synced); {
				case err == nil:
					wins.Add(1)
					put(t, j, next(r, end))
				case !errors.As(err, &open):
					t.Errorf("flow %d: %v", w, err)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d of 50 flows were stored", wins.Load())
		}
	}},
	{"merchant, operation and payment make a key", func(t *testing.T, j journal.Journal) {
		a, b, c, d := flow("a"), flow("b"), flow("c"), flow("d")
		b.Key, c.Key, d.Key = a.Key, a.Key, a.Key
		b.Key.Merchant, c.Key.Operation, d.Key.Payment = "other", policy.Refund, "cart-other"
		put(t, j, a, b, c, d)
		byKey(t, j, c.Key, "c")
	}},
	{"a key without a payment is not guarded", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		a.Key.Payment = ""
		b.Key = a.Key
		put(t, j, a, b)
		put(t, j, next(a, nil), next(b, nil))
		byKey(t, j, a.Key, "a", "b")
	}},
	{"of 50 concurrent flows of one key exactly one opens", func(t *testing.T, j journal.Journal) {
		var wins atomic.Int64
		var all sync.WaitGroup
		for w := range 50 {
			all.Go(func() {
				r := flow(fmt.Sprint(w))
				r.Key = flow("a").Key
				err := j.Put(context.Background(), r, journal.Synced)
				var open *journal.OpenError
				switch {
				case err == nil:
					wins.Add(1)
				case !errors.As(err, &open):
					t.Errorf("flow %d: %v", w, err)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d of 50 flows opened", wins.Load())
		}
	}},
	{"the flows of a key come oldest first, whatever their ids and times", func(t *testing.T, j journal.Journal) {
		k := flow("a").Key
		for i, id := range []string{"m", "z", "a"} {
			r := flow(id)
			r.Key, r.At = k, epoch.Add(-1*seconds(i))
			ended := next(r, end)
			put(t, j, r, ended)
		}
		z := next(next(flow("z"), end), end)
		z.Key = k
		put(t, j, z)
		byKey(t, j, k, "m", "z", "a")
		byKey(t, j, journal.Key{Merchant: "unknown"})
	}},
}

func refusedFor(t *testing.T, j journal.Journal, r *journal.Row, open string) {
	t.Helper()
	refusedAs(t, j, r, &journal.OpenError{Key: r.Key, ID: open})
}

func refusedUnseen(t *testing.T, j journal.Journal, r *journal.Row, other string) {
	t.Helper()
	refusedAs(t, j, r, &journal.OpenError{Key: r.Key, ID: other, Unseen: true})
}

func refusedAs(t *testing.T, j journal.Journal, r *journal.Row, want *journal.OpenError) {
	t.Helper()
	err := j.Put(context.Background(), r, journal.Synced)
	var e *journal.OpenError
	if !errors.As(err, &e) {
		t.Fatalf("Put of %s version %d returned %v, want an *OpenError", r.ID, r.Version, err)
	}
	if *e != *want {
		t.Fatalf("the error is %+v, want %+v", *e, *want)
	}
}
