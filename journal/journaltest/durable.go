package journaltest

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/journal"
)

// RunDurable runs the suite of [Run]. It also tests that rows are found again after Close,
// when the journal is opened again. Open opens the journal at a path in a temporary folder;
// it creates the file if there is none.
func RunDurable(t *testing.T, open func(t *testing.T, path string) journal.Journal) {
	t.Helper()
	number := 0
	Run(t, func(t *testing.T) journal.Journal {
		number++
		return open(t, filepath.Join(t.TempDir(), fmt.Sprint(number)))
	})
	for _, g := range []struct {
		name string
		test func(t *testing.T, reopen func(journal.Journal) journal.Journal)
	}{
		{"synced and lazy rows are found after Close", rowsSurvive},
		{"versions and keys are guarded after Close", guardsSurvive},
		{"pruned rows are not found after Close", pruneSurvives},
	} {
		t.Run(g.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			g.test(t, func(j journal.Journal) journal.Journal {
				if j != nil {
					mustClose(t, j)
				}
				return open(t, path)
			})
		})
	}
}

func mustClose(t *testing.T, j journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func rowsSurvive(t *testing.T, reopen func(journal.Journal) journal.Journal) {
	j := reopen(nil)
	var want []*journal.Row
	for i := range 300 {
		r := flow(fmt.Sprint(i))
		second := next(r, func(r *journal.Row) { r.Names = append(r.Names, "txn-"+r.ID) })
		if i%2 == 0 {
			put(t, j, r, second)
		} else {
			putLazily(t, j, r, second)
		}
		want = append(want, second)
	}
	j = reopen(j)
	for _, r := range want {
		stored(t, j, r)
		named(t, j, "momo", []string{"txn-" + r.ID}, r.ID)
	}
	mustClose(t, j)
}

func guardsSurvive(t *testing.T, reopen func(journal.Journal) journal.Journal) {
	j := reopen(nil)
	a, b, c := flow("z"), flow("m"), flow("a")
	b.Key, c.Key = a.Key, a.Key
	ended := next(a, end)
	put(t, j, a, ended, b)
	j = reopen(j)
	refused(t, j, a, journal.ErrConflict)
	refused(t, j, ended, journal.ErrConflict)
	refusedFor(t, j, c, "m")
	refusedFor(t, j, next(ended, func(r *journal.Row) { r.Open, r.Due = true, epoch }), "m")
	put(t, j, next(b, func(r *journal.Row) { end(r); r.Names = []string{"txn"} }))
	put(t, j, c)
	byKey(t, j, a.Key, "z", "m", "a")
	named(t, j, "momo", []string{"order-m"}, "m")
	due(t, j, epoch, "a")
	mustClose(t, j)
}

func pruneSurvives(t *testing.T, reopen func(journal.Journal) journal.Journal) {
	j := reopen(nil)
	a := flow("a")
	put(t, j, a, next(a, end), flow("b"))
	if n, err := j.Prune(t.Context(), epoch.Add(1)); err != nil || n != 0 {
		t.Fatalf("Prune removed %d (%v), want none within the microsecond", n, err)
	}
	if n, err := j.Prune(t.Context(), epoch.Add(1000)); err != nil || n != 1 {
		t.Fatalf("Prune removed %d (%v), want 1", n, err)
	}
	j = reopen(j)
	byKey(t, j, a.Key)
	named(t, j, "momo", a.Names)
	put(t, j, a)
	mustClose(t, j)
}
