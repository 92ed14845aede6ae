package journaltest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

func seconds(i int) time.Duration { return time.Duration(i) * time.Second }

var names = []guarantee{
	{"names of earlier rows are retained", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		b := next(a, func(r *journal.Row) { r.Names = []string{"txn-1"} })
		c := next(b, func(r *journal.Row) { r.Names = nil })
		put(t, j, a, b, c)
		named(t, j, "momo", []string{"order-a"}, "a")
		named(t, j, "momo", []string{"txn-1"}, "a")
		if got := get(t, j, "a").Names; !slices.Equal(got, []string{"order-a", "txn-1"}) {
			t.Fatalf("the names are %q", got)
		}
	}},
	{"a name belongs to one provider", func(t *testing.T, j journal.Journal) {
		a, b := flow("a"), flow("b")
		b.Provider, b.Names = "vnpay", a.Names
		put(t, j, a, b)
		named(t, j, "momo", a.Names, "a")
		named(t, j, "vnpay", a.Names, "b")
		named(t, j, "zalopay", a.Names)
	}},
	{"several flows may have one name, the oldest comes first, each once", func(t *testing.T, j journal.Journal) {
		for _, id := range []string{"m", "z", "a"} {
			r := flow(id)
			r.Names = []string{"shared", "order-" + id, "shared"}
			put(t, j, r)
		}
		named(t, j, "momo", []string{"shared"}, "m", "z", "a")
		named(t, j, "momo", []string{"order-a", "order-m", "order-a"}, "m", "a")
		named(t, j, "momo", []string{"unknown", "order-z"}, "z")
		named(t, j, "momo", nil)
	}},
	{"many names are looked up at once", func(t *testing.T, j journal.Journal) {
		put(t, j, flow("a"), flow("b"))
		ask := []string{"order-b"}
		for i := range 2000 {
			ask = append(ask, fmt.Sprint("unknown-", i))
		}
		named(t, j, "momo", append(ask, "order-a"), "a", "b")
	}},
}

// dueAt puts open flows that are due so many microseconds after the epoch.
func dueAt(t *testing.T, j journal.Journal, at map[string]int) {
	t.Helper()
	for id, micros := range at {
		r := flow(id)
		r.Due = epoch.Add(time.Duration(micros) * time.Microsecond)
		put(t, j, r)
	}
}

var dueTimes = []guarantee{
	{"due rows come in the order of Due, then ID", func(t *testing.T, j journal.Journal) {
		dueAt(t, j, map[string]int{"d": 1, "b": 2, "a": 2, "c": 0, "later": 3})
		due(t, j, epoch.Add(2*time.Microsecond), "c", "d", "a", "b")
		due(t, j, epoch.Add(-time.Microsecond))
	}},
	{"the last row of a flow sets its due time", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		later := next(a, func(r *journal.Row) { r.Due = epoch.Add(time.Hour) })
		put(t, j, a, flow("b"), later)
		due(t, j, epoch, "b")
		due(t, j, epoch.Add(time.Hour), "b", "a")
	}},
	{"a flow without a due time is not found", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		put(t, j, a, flow("b"), next(a, end))
		due(t, j, epoch.Add(1000*time.Hour), "b")
	}},
	{"an ended flow with a due time is found", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		a.Open = false
		put(t, j, a)
		due(t, j, epoch, "a")
	}},
	{"pages continue within equal due times", func(t *testing.T, j journal.Journal) {
		for _, id := range []string{"e", "b", "d", "a", "c"} {
			put(t, j, flow(id))
		}
		var after journal.Cursor
		for _, want := range [][]string{{"a", "b"}, {"c", "d"}, {"e"}, nil} {
			rows, err := j.Due(context.Background(), epoch, after, 2)
			ids(t, "Due", rows, err, want...)
			if len(rows) > 0 {
				last := rows[len(rows)-1]
				after = journal.Cursor{Due: last.Due, ID: last.ID}
			}
		}
	}},
	{"a cursor need not be the position of a row", func(t *testing.T, j journal.Journal) {
		dueAt(t, j, map[string]int{"a": 0, "c": 0, "d": 5})
		rows, err := j.Due(context.Background(), epoch.Add(time.Second), journal.Cursor{Due: epoch, ID: "b"}, 10)
		ids(t, "Due", rows, err, "c", "d")
		rows, err = j.Due(context.Background(), epoch.Add(time.Second), journal.Cursor{Due: epoch.Add(time.Microsecond)}, 10)
		ids(t, "Due", rows, err, "d")
	}},
	{"a limit of 0 or less returns no row", func(t *testing.T, j journal.Journal) {
		put(t, j, flow("a"))
		for _, limit := range []int{0, -1} {
			rows, err := j.Due(context.Background(), epoch, journal.Cursor{}, limit)
			ids(t, "Due", rows, err)
		}
	}},
	{"times keep their microseconds and come back in UTC", func(t *testing.T, j journal.Journal) {
		a := flow("a")
		a.Due = epoch.Add(123456 * time.Microsecond).In(time.FixedZone("Hanoi", 7*3600))
		a.At = time.Date(1969, 7, 20, 20, 17, 40, 123456000, time.FixedZone("Houston", -5*3600))
		put(t, j, a)
		stored(t, j, a)
		got := get(t, j, "a")
		if got.Due.Location() != time.UTC || got.At.Location() != time.UTC {
			t.Fatalf("the times are in %s and %s", got.Due.Location(), got.At.Location())
		}
		due(t, j, epoch.Add(123455*time.Microsecond))
		due(t, j, epoch.Add(123456*time.Microsecond), "a")
	}},
}
