package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

// beside is a journal whose reads are another process's, which writes nothing: they find what stands in batches only.
type beside struct {
	*Journal
	reads *Journal
}

func openBeside(t *testing.T, path string) *beside {
	t.Helper()
	return &beside{opened(t, path, nil), opened(t, path, &Options{ReadOnly: true})}
}

func (b *beside) Get(ctx context.Context, id string) (journal.Row, error) {
	if err := b.queue.WaitLazy(ctx); err != nil {
		return journal.Row{}, err
	}
	return b.reads.Get(ctx, id)
}

func (b *beside) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	return afterLazy(ctx, b, func() ([]journal.Row, error) { return b.reads.ByKey(ctx, k) })
}

func (b *beside) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	return afterLazy(ctx, b, func() ([]journal.Row, error) { return b.reads.Named(ctx, provider, names...) })
}

func (b *beside) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	return afterLazy(ctx, b, func() ([]journal.Row, error) { return b.reads.Due(ctx, by, after, limit) })
}

func (b *beside) List(ctx context.Context, f journal.Filter, after journal.Cursor, limit int) ([]journal.Row, error) {
	return afterLazy(ctx, b, func() ([]journal.Row, error) { return b.reads.List(ctx, f, after, limit) })
}

func (b *beside) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	return afterLazy(ctx, b, func() ([]journal.Tally, error) { return b.reads.Count(ctx, f) })
}

func (b *beside) Close() error { return errors.Join(b.Journal.Close(), b.reads.Close()) }

func afterLazy[T any](ctx context.Context, b *beside, read func() ([]T, error)) ([]T, error) {
	if err := b.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	return read()
}

// All that a journal promises holds for those who read batches and table together.
func TestBatchesAndTableAreReadAsOne(t *testing.T) {
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal { return openBeside(t, path) })
}

// killed is a journal whose process is killed in place of Close, with batches that are not in the table.
type killed struct {
	*Journal
	t *testing.T
}

func (k *killed) Close() error {
	if err := k.queue.WaitLazy(context.Background()); err != nil {
		return err
	}
	file, log := read(k.t, k.path), read(k.t, logOf(k.path))
	if err := k.Journal.Close(); err != nil {
		return err
	}
	write(k.t, k.path, file)
	write(k.t, logOf(k.path), log)
	return nil
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// All that a journal promises holds for a process that was killed between a batch and the table.
func TestBatchesSurviveTheirProcess(t *testing.T) {
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal {
		return &killed{opened(t, path, nil), t}
	})
}

// All that a journal promises holds where memory takes each row for known, so that the file is asked.
func TestBatchesOfRowsThatMayBeKnown(t *testing.T) {
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal {
		j := opened(t, path, nil)
		j.known.mu.Lock()
		j.known.off = true
		j.known.mu.Unlock()
		return j
	})
}

// pendingRows puts rows so that they stand in batches only: an old flow that ended, one with a new name, and new flows.
func pendingRows(t *testing.T, j *Journal) {
	t.Helper()
	a, b := testRow("a"), testRow("b")
	put(t, j, journal.Synced, a, b)
	version(t, j, "a", 1)
	ended, renamed := later(a), later(b)
	ended.Open, ended.Due, ended.Tombstone, ended.Standing = false, time.Time{}, []byte("paid a"), "succeeded"
	renamed.Names = []string{"theirs-b"}
	put(t, j, journal.Synced, ended, renamed, testRow("c"), testRow("d"))
	if !j.writes.behind.Load() {
		t.Fatal("no row stands in a batch only")
	}
}

// crashed is a copy of the files of a journal, as they would be if its process had been killed.
func crashed(t *testing.T, j *Journal) (path string) {
	t.Helper()
	path = newPath(t)
	write(t, path, read(t, j.path))
	write(t, logOf(path), read(t, logOf(j.path)))
	return path
}

// alter changes a file as another program would, and keeps its log.
func alter(t *testing.T, path, script string) {
	t.Helper()
	c, err := connect(dsn(path, false))
	if err != nil {
		t.Fatal(err)
	}
	holder, err := connect(dsn(path, true)) // else the log would be deleted with the last connection
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := errors.Join(holder.queryRow("SELECT count(*) FROM flow", &n), c.exec(script), c.Close()); err != nil {
		t.Fatal(err)
	}
	log := read(t, logOf(path))
	file := read(t, path)
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, file)
	write(t, logOf(path), log)
}

func everyRow(t *testing.T, j *Journal) (all []journal.Row) {
	t.Helper()
	for _, id := range []string{"a", "b", "c", "d"} {
		r, err := j.Get(t.Context(), id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		all = append(all, r)
	}
	return all
}

// A batch in which any bit has changed is refused, unless only a state has: that is its writer's, who has a checksum of his own. Nothing that was
// paid is free then; to go on without it is the operator's to say.
func TestADamagedBatchIsRefused(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	whole := crashed(t, j)
	want := everyRow(t, j)
	good := opened(t, whole, &Options{ReadOnly: true})
	for i, r := range everyRow(t, good) {
		if fmt.Sprint(r) != fmt.Sprint(want[i]) {
			t.Fatalf("read beside the table: %+v, want %+v", r, want[i])
		}
	}
	refusals := 0
	for at := range testkit.Size(60, 400, 4000) {
		path := crashed(t, j)
		write(t, path, read(t, whole))
		write(t, logOf(path), read(t, logOf(whole)))
		alter(t, path, fmt.Sprintf(`UPDATE batch SET rows = CAST(substr(rows, 1, %[1]d %% length(rows)) || CAST(x'5a' AS BLOB) || substr(rows, %[1]d %% length(rows) + 2) AS BLOB)
			WHERE n = (SELECT min(n) + %[1]d %% count(*) FROM batch)`, at*7))
		damaged, err := Open(path, nil)
		if err != nil {
			refusals++
			if !strings.Contains(err.Error(), "Options.Restored") {
				t.Fatalf("byte %d: %v", at*7, err)
			}
			if _, err := opened(t, path, &Options{ReadOnly: true}).Get(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "Options.Restored") {
				t.Fatalf("byte %d, read only: %v", at*7, err)
			}
			if damaged, err = Open(path, &Options{Restored: true}); err != nil {
				t.Fatalf("byte %d, restored: %v", at*7, err)
			}
		} else {
			for i, r := range everyRow(t, damaged) {
				r.State = want[i].State
				if fmt.Sprint(r) != fmt.Sprint(want[i]) {
					t.Fatalf("byte %d: %+v, want %+v", at*7, r, want[i])
				}
			}
		}
		if err := damaged.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if refusals == 0 {
		t.Error("nothing was refused")
	}
}

// The table cannot be brought up to date: a trigger refuses the second of its flows. Nothing is lost, all is read, and puts fail until the
// cause is removed.
func TestATableThatCannotBeBroughtUpToDate(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	pendingRows(t, j)
	set(t, j, "CREATE TEMP TRIGGER no BEFORE INSERT ON flow WHEN new.id = 'd' BEGIN SELECT RAISE(ABORT, 'no room'); END")
	for range 3 {
		everyRow(t, j)
		if err := j.run(t.Context(), (*writer).settle); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Fatalf("the table was brought up to date: %v", err)
		}
		if rows, err := j.Named(t.Context(), "momo", "theirs-b"); err != nil || len(rows) != 1 {
			t.Fatalf("a name in a batch: %v, %v", rows, err)
		}
		if !taken(t, j, testRow("c").Key, "fresh") || !taken(t, j, journal.Key{}, "theirs-b") {
			t.Fatal("what stands in a batch is new")
		}
		other := testRow("other")
		other.Key = testRow("c").Key
		if err := j.Put(t.Context(), other, journal.Synced); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Fatalf("Put returned %v", err)
		}
	}
	again := opened(t, crashed(t, j), nil)
	everyRow(t, again)
	set(t, j, "DROP TRIGGER no")
	other, a := testRow("other"), testRow("a")
	other.Key = testRow("c").Key
	var open *journal.OpenError
	if err := j.Put(t.Context(), other, journal.Synced); !errors.As(err, &open) || open.ID != "c" {
		t.Fatalf("a key of a batch: %v", err)
	}
	if err := j.Put(t.Context(), later(a), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a version of a batch: %v", err)
	}
	put(t, j, journal.Synced, later(testRow("c")), later(testRow("d")))
	everyRow(t, j)
}

// A backup has what stands in batches, also if the table cannot be brought up to date.
func TestBackupHasBatches(t *testing.T) {
	for _, full := range []bool{false, true} {
		j := opened(t, newPath(t), nil)
		pendingRows(t, j)
		if full {
			set(t, j, "PRAGMA query_only = 1")
		}
		path := newPath(t)
		if err := j.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		want := everyRow(t, j)
		for _, o := range []Options{{ReadOnly: true}, {Restored: true}} {
			b := opened(t, path, &o)
			for i, r := range everyRow(t, b) {
				if fmt.Sprint(r) != fmt.Sprint(want[i]) {
					t.Errorf("in the backup: %+v, want %+v", r, want[i])
				}
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}
		set(t, j, "PRAGMA query_only = 0")
	}
}

// The rows of a batch come back as they were put, whatever is in them, and no bytes make the decoder panic.
func FuzzBatch(f *testing.F) {
	f.Add("a", "k", []byte("state"), []byte(nil), int64(1), true, []byte{batchFormat, 1, 2, 3})
	f.Fuzz(func(t *testing.T, id, payment string, state, tombstone []byte, version int64, open bool, garbage []byte) {
		r := testRow("x")
		r.ID, r.Key.Payment, r.State, r.Tombstone, r.Version, r.Open = id, payment, state, tombstone, version, open
		made := &cachedFlow{id: id, key: r.Key, provider: r.Provider}
		made.apply(r)
		batch := made.appendTo(made.appendTo([]byte{batchFormat}))
		rows, err := decodeBatch(nil, batch)
		if err != nil || len(rows) != 2 || rows[1].ID != id || rows[1].Key != r.Key || !bytes.Equal(rows[1].State, state) || !bytes.Equal(rows[1].Tombstone, tombstone) ||
			rows[1].Version != version || rows[1].Open != open || !rows[1].Due.Equal(r.Due) || !rows[1].At.Equal(r.At) {
			t.Fatalf("%+v became %+v, %v", r, rows, err)
		}
		_, _ = decodeBatch(nil, garbage)
	})
}

// evict lets the cache drop what it may drop, and that twice.
func evict(t *testing.T, j *Journal) {
	t.Helper()
	err := j.run(t.Context(), func(w *writer) error {
		for i := range 5 * generationSize {
			w.cache.add(&cachedFlow{id: fmt.Sprint("other-", i)})
		}
		if kept := len(w.cache.young) + len(w.cache.old); kept > 2*generationSize+20 {
			t.Errorf("the cache has %d flows", kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A flow that stands in a batch is found, though the cache has dropped all others.
func TestAFlowOfABatchIsFoundWithoutTheCache(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	evict(t, j)
	c, d := later(testRow("c")), testRow("d")
	put(t, j, journal.Synced, c, later(c))
	if !j.writes.behind.Load() {
		t.Error("the table was brought up to date")
	}
	if err := j.Put(t.Context(), d, journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("a second first row: %v", err)
	}
	version(t, j, "c", 3)
}

// The id of a flow is not free for another key, wherever the flow stands.
func TestAnIDOfABatchIsTaken(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	for _, payment := range []string{"", "another"} {
		for _, id := range []string{"a", "c"} {
			r := testRow(id)
			r.Key.Payment = payment
			if err := j.Put(t.Context(), r, journal.Synced); !errors.Is(err, journal.ErrConflict) {
				t.Errorf("%s again, under key %q: %v", id, payment, err)
			}
		}
	}
	everyRow(t, j)
}

// A batch never takes a flow back to an earlier row.
func TestABatchThatIsOlderThanTheTable(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	path := crashed(t, j)
	alter(t, path, "UPDATE flow SET version = 9, state = CAST('newer' AS BLOB) WHERE id = 'a'")
	for _, o := range []*Options{{ReadOnly: true}, nil} { // the owner brings the table up to date
		again := opened(t, path, o)
		r, err := again.Get(t.Context(), "a")
		if err != nil || r.Version != 9 || string(r.State) != "newer" {
			t.Errorf("%+v, %v", r, err)
		}
		version(t, again, "b", 2)
	}
}

// So it is when the cache has dropped a flow of a batch: a row that is acknowledged is never dropped for one with its id.
func TestAnIDOfABatchIsTakenWithoutTheCache(t *testing.T) {
	for _, payment := range []string{"another", ""} {
		j := opened(t, newPath(t), nil)
		pendingRows(t, j)
		evict(t, j)
		r := testRow("d")
		r.Key.Payment, r.Names = payment, nil
		if err := j.Put(t.Context(), r, journal.Synced); !errors.Is(err, journal.ErrConflict) {
			t.Errorf("a second flow d, under key %q: %v", payment, err)
		}
		if err := j.run(t.Context(), (*writer).settle); err != nil {
			t.Errorf("settle: %v", err)
		}
		everyRow(t, j)
	}
}

// A file that could not be opened is whole when the cause is removed, though it says that it is running.
func TestAFileThatCouldNotBeOpenedKeepsItsLog(t *testing.T) {
	j := opened(t, newPath(t), nil)
	pendingRows(t, j)
	path := crashed(t, j)
	alter(t, path, "CREATE TRIGGER no BEFORE INSERT ON flow BEGIN SELECT RAISE(ABORT, 'no room'); END")
	if again, err := Open(path, nil); err == nil {
		t.Fatal("it was opened", again.Close())
	}
	if !hasLog(path) {
		t.Fatal("its log is gone: a file that says that it is running is refused without")
	}
	alter(t, path, "DROP TRIGGER no")
	everyRow(t, opened(t, path, nil))
}

// A first row whose key another row got that was queued before it is refused, however near they are.
func TestOneOfManyFirstRowsOfAKeyIsStored(t *testing.T) {
	j := opened(t, newPath(t), nil)
	for round := range testkit.Size(30, 200, 1000) {
		results := make(chan error, 8)
		for i := range cap(results) {
			go func() {
				r := testRow(fmt.Sprint(round, "-", i))
				r.Key.Payment = fmt.Sprint(round)
				results <- j.Put(context.Background(), r, journal.Synced)
			}()
		}
		stored := 0
		for range cap(results) {
			err := <-results
			var open *journal.OpenError
			if err == nil {
				stored++
			} else if !errors.As(err, &open) {
				t.Fatal(err)
			}
		}
		if stored != 1 {
			t.Fatalf("round %d: %d rows are stored", round, stored)
		}
	}
}

// So it is in a group that has brought the table up to date before.
func TestOneOfTwoFirstRowsOfAKeyIsStoredBehindAKnownKey(t *testing.T) {
	j := opened(t, newPath(t), nil)
	old := testRow("old")
	put(t, j, journal.Synced, old)
	ended := later(old)
	ended.Open, ended.Due = false, time.Time{}
	put(t, j, journal.Synced, ended)

	resume := pause(t, j)
	again, first, second := testRow("again"), testRow("first"), testRow("second")
	again.Key, second.Key = old.Key, first.Key
	var results []<-chan error
	for _, r := range []*journal.Row{again, first, second} {
		results = append(results, putLater(t, j, r))
	}
	resume()
	for i, want := range []string{"", "", "first"} {
		err := <-results[i]
		var open *journal.OpenError
		if got := errors.As(err, &open); got != (want != "") || got && open.ID != want || !got && err != nil {
			t.Errorf("row %d: %v", i, err)
		}
	}
}

// A row of the table goes bad while a batch has a newer one of its flow: that one takes its place, and no other payment waits for it.
func TestABatchMendsADamagedRow(t *testing.T) {
	for _, bad := range []string{"version = 'two'", "names = x'ff'", "operation = 'tip'"} {
		t.Run(bad, func(t *testing.T) {
			j := opened(t, newPath(t), nil)
			pendingRows(t, j)
			path := crashed(t, j)
			want := everyRow(t, j)
			for _, restored := range []bool{false, true} {
				whole := crashed(t, opened(t, path, &Options{ReadOnly: true}))
				alter(t, whole, "UPDATE flow SET "+bad+" WHERE id = 'a'")
				for i, r := range everyRow(t, opened(t, whole, &Options{Restored: restored})) {
					if fmt.Sprint(r) != fmt.Sprint(want[i]) {
						t.Errorf("restored %t: %+v, want %+v", restored, r, want[i])
					}
				}
			}

			running := opened(t, newPath(t), nil)
			pendingRows(t, running)
			set(t, running, "UPDATE flow SET "+bad+" WHERE id = 'a'")
			_ = running.run(t.Context(), (*writer).settle) // it may fail, once
			put(t, running, journal.Synced, testRow("fresh"))
			version(t, running, "a", 2)
		})
	}
}
