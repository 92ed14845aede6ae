package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// walk puts random rows of a few flows and keys into a journal and into its plain twin in memory.
type walk struct {
	t      *testing.T
	j      *Journal
	twin   journal.Journal
	random *rand.Rand
	rows   map[string]*journal.Row // the newest of each flow
	ids    []string
}

func newWalk(t *testing.T, seed uint64) *walk {
	j := opened(t, newPath(t), nil)
	byHand(t, j)
	return &walk{t: t, j: j, twin: journal.NewMemory(), random: rand.New(rand.NewPCG(seed, 1)), rows: make(map[string]*journal.Row)}
}

// byHand lets no time bring the table up to date.
func byHand(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.run(t.Context(), func(*writer) error { j.settling = true; return nil }); err != nil {
		t.Fatal(err)
	}
}

// next is the next row of a flow, or the first of one: mostly one that can be stored.
func (w *walk) next() *journal.Row {
	if len(w.ids) == 0 || w.random.IntN(3) == 0 {
		r := testRow(fmt.Sprint("f", len(w.ids)))
		r.Key.Payment = fmt.Sprint("k", w.random.IntN(len(w.ids)/2+1)+w.random.IntN(2)*1000)
		return r
	}
	r := later(w.rows[w.ids[len(w.ids)-1-w.random.IntN(min(len(w.ids), 8))]])
	r.Open, r.State = w.random.IntN(3) > 0, fmt.Appendf(nil, "%s at %d", r.ID, r.Version)
	r.Due = time.Time{}
	r.Names = nil
	if r.Open {
		r.Due = moment.Add(time.Duration(w.random.IntN(100)) * time.Second)
	}
	if w.random.IntN(3) == 0 {
		r.Names = []string{fmt.Sprint("n", w.random.IntN(20))}
	}
	if w.random.IntN(20) == 0 {
		r.Version += int64(w.random.IntN(3)) - 1
	}
	return r
}

func (w *walk) put() {
	r := w.next()
	d := journal.Synced
	got, want := w.j.Put(w.t.Context(), r, d), w.twin.Put(w.t.Context(), r, d)
	var open, twinOpen *journal.OpenError
	if (got == nil) != (want == nil) || errors.Is(got, journal.ErrConflict) != errors.Is(want, journal.ErrConflict) || errors.As(got, &open) != errors.As(want, &twinOpen) {
		w.t.Fatalf("Put of %+v: %v, the twin has %v", r, got, want)
	}
	if got != nil {
		return
	}
	if w.rows[r.ID] == nil {
		w.ids = append(w.ids, r.ID)
	}
	w.rows[r.ID] = r
}

// write lets the committer write some flows, as it does between groups.
func (w *walk) write() {
	err := w.j.run(w.t.Context(), func(c *writer) error {
		return c.transact(func() error { return c.writeOldest(w.random.IntN(len(c.dirty) + 1)) })
	})
	if w.random.IntN(4) == 0 && len(w.ids) > 0 {
		id := w.ids[w.random.IntN(len(w.ids))]
		err = errors.Join(err, w.j.writeFlows(w.t.Context(), func(f *cachedFlow) bool { return f.id == id }))
	}
	if w.random.IntN(10) == 0 {
		failed := errors.New("a full disk")
		if got := w.j.run(w.t.Context(), func(c *writer) error {
			return c.transact(func() error { return errors.Join(c.writeOldest(3), failed) })
		}); !errors.Is(got, failed) {
			w.t.Fatal(got)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// compare holds all that a journal says against the twin.
func (w *walk) compare(what string, j *Journal) {
	w.t.Helper()
	same := func(call string, got, want any, err, twinErr error) {
		w.t.Helper()
		if err = errors.Join(err, twinErr); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Fatalf("%s, %s: %v\n%v\nwant\n%v", what, call, err, got, want)
		}
	}
	ctx := w.t.Context()
	for _, id := range w.ids {
		got, err := j.Get(ctx, id)
		want, twinErr := w.twin.Get(ctx, id)
		want.Tombstone = got.Tombstone
		same(id, got, want, err, twinErr)
		rows, err := j.ByKey(ctx, want.Key)
		twins, twinErr := w.twin.ByKey(ctx, want.Key)
		same("a key", ids(rows), ids(twins), err, twinErr)
		if !taken(w.t, j, want.Key, "fresh") {
			w.t.Fatalf("%s: key %s is free", what, want.Key)
		}
	}
	for n := range 20 {
		rows, err := j.Named(ctx, "momo", fmt.Sprint("n", n))
		twins, twinErr := w.twin.Named(ctx, "momo", fmt.Sprint("n", n))
		same("a name", ids(rows), ids(twins), err, twinErr)
		if taken(w.t, j, journal.Key{}, fmt.Sprint("n", n)) != (len(twins) > 0) {
			w.t.Fatalf("%s: name %d is taken: %t", what, n, len(twins) == 0)
		}
	}
	rows, err := j.Due(ctx, moment.Add(time.Hour), journal.Cursor{}, 1000)
	twins, twinErr := w.twin.Due(ctx, moment.Add(time.Hour), journal.Cursor{}, 1000)
	same("Due", ids(rows), ids(twins), err, twinErr)
	counts, err := j.Count(ctx, journal.Filter{})
	twinCounts, twinErr := w.twin.Count(ctx, journal.Filter{})
	same("Count", counts, twinCounts, err, twinErr)
}

func ids(rows []journal.Row) (of []string) {
	for _, r := range rows {
		of = append(of, fmt.Sprint(r.ID, " ", r.Version))
	}
	return of
}

// However few flows are written at a time, and wherever the process is killed between two transactions: nothing is lost, no flow goes back, and no key is free. A
// reader beside the owner sees the same.
func TestTheTableIsBroughtUpToDateInParts(t *testing.T) {
	for seed := range uint64(testkit.Size(6, 40, 400)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWalk(t, seed)
			for step := range 120 {
				w.put()
				if w.random.IntN(3) == 0 {
					w.write()
				}
				if step%30 == 29 {
					killed := crashed(t, w.j)
					w.compare("beside the owner", opened(t, killed, &Options{ReadOnly: true}))
					w.compare("after a crash", opened(t, killed, nil))
				}
			}
			w.compare("the owner", w.j)
		})
	}
}

// Batches are deleted when their flows are in the table, though flows are changed all the time; and a read of one flow writes no other.
func TestBatchesAreDeletedInTheirTurn(t *testing.T) {
	j := opened(t, newPath(t), nil)
	byHand(t, j)
	busy := testRow("busy")
	put(t, j, journal.Synced, busy)
	most := int64(0)
	for i := range 200 {
		busy = later(busy)
		put(t, j, journal.Synced, testRow(fmt.Sprint("f", i)), busy)
		err := j.run(t.Context(), func(w *writer) error {
			var batches int64
			err := errors.Join(w.transact(func() error { return w.writeOldest(len(w.dirty) - 10) }), w.queryRow("SELECT count(*) FROM batch", &batches))
			most = max(most, batches)
			if n := len(w.before.batches) + len(w.since.batches); int64(n) != batches {
				t.Errorf("memory has %d batches, the file %d", n, batches)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if most > 60 {
		t.Errorf("there were %d batches of 10 flows", most)
	}
	inTable := func() (n int64) {
		if err := j.run(t.Context(), func(w *writer) error { return w.queryRow("SELECT count(*) FROM flow", &n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := inTable()
	version(t, j, "f199", 1)
	if after := inTable(); after != before+1 || before > 195 {
		t.Errorf("a read of one flow has written %d, of 201 there were %d", after-before, before)
	}
}

// What has waited for a moment comes into the table without a read, also under load.
func TestTheTableIsBroughtUpToDateByTime(t *testing.T) {
	j := opened(t, newPath(t), nil)
	for i := range 3 * slice {
		put(t, j, journal.Lazy, testRow(fmt.Sprint("f", i)))
	}
	c, err := connect(dsn(j.path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := int64(0); n < 3*slice; {
		if err := c.queryRow("SELECT count(*) FROM flow", &n); err != nil {
			t.Fatal(err)
		}
	}
}

// The cache drops no flow that the table lacks.
func TestTheCacheKeepsWhatTheTableLacks(t *testing.T) {
	var c flowCache
	kept := &cachedFlow{id: "kept", dirty: true}
	c.add(kept)
	for i := range 10 * generationSize {
		c.add(&cachedFlow{id: fmt.Sprint(i)})
	}
	if c.get("kept") != kept || c.get("0") != nil {
		t.Error("it keeps others")
	}
	kept.dirty = false
	for i := range 10 * generationSize {
		c.add(&cachedFlow{id: fmt.Sprint(i)})
	}
	if c.get("kept") != nil {
		t.Error("it is kept for ever")
	}
}

// A read that has looked for its flows before a transaction failed writes none of those that memory has lost: the table has them.
func TestAReadDoesNotWriteWhatMemoryHasLost(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	failed := errors.New("a full disk")
	err := j.run(t.Context(), func(w *writer) error {
		found := slices.Clone(w.dirty)
		if err := w.transact(func() error { return failed }); !errors.Is(err, failed) {
			return err
		}
		return w.transact(func() error { return w.writeEach(found) })
	})
	if err != nil {
		t.Error(err)
	}
	everyRow(t, j)
}
