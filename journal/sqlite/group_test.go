package sqlite

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// pause stops the committer until resume is called. The rows put until then make one group.
func pause(t *testing.T, j *Journal) (resume func()) {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- j.run(context.Background(), func(*writer) error {
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	return func() {
		close(leave)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// putLater puts a synced row from another goroutine and returns when it is queued.
func putLater(t *testing.T, j *Journal, r *journal.Row) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	req, err := j.queue.Add(t.Context(), r, journal.Synced)
	if err != nil {
		t.Fatal(err)
	}
	go func() { result <- rowqueue.Wait(context.Background(), req) }()
	return result
}

// changes returns the number of table rows that the writer has changed so far.
func changes(t *testing.T, j *Journal) (n int64) {
	t.Helper()
	err := j.run(t.Context(), func(w *writer) error { return w.queryRow("SELECT total_changes()", &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGroupWritesEachFlowOnce(t *testing.T) {
	j := opened(t, newPath(t), nil)
	a := testRow("a")
	put(t, j, journal.Synced, a)
	version(t, j, "a", 1)
	before := changes(t, j)

	resume := pause(t, j)
	for i := range 10 {
		a = later(a)
		a.Names = []string{[]string{"x", "y"}[i%2]}
		put(t, j, journal.Lazy, a)
	}
	resume()
	version(t, j, "a", 11)
	if got := changes(t, j) - before; got != 4 {
		t.Errorf("ten rows changed %d table rows, want a batch, 1 flow and 2 names", got)
	}
	r, err := j.Get(t.Context(), "a")
	if err != nil || !slices.Equal(r.Names, []string{"order-a", "x", "y"}) || string(r.State) != string(a.State) {
		t.Errorf("stored is %+v, %v", r, err)
	}
}

func TestGroupRefusesRowsOneByOne(t *testing.T) {
	j := opened(t, newPath(t), nil)
	a, b := testRow("a"), testRow("b")
	put(t, j, journal.Synced, a)
	second := later(a)
	second.Open, second.Due = false, a.Due
	b.Key = a.Key
	stale := later(second)
	stale.Version = 2
	other := testRow("other")
	other.Key = a.Key
	last := later(second) // ended too: it must not block b

	resume := pause(t, j)
	rows := []*journal.Row{later(testRow("unknown")), second, stale, b, testRow("c"), other, last, testRow("c")}
	var results []<-chan error
	for _, r := range rows {
		results = append(results, putLater(t, j, r))
	}
	resume()
	for i, want := range []error{journal.ErrConflict, nil, journal.ErrConflict, nil, nil, &journal.OpenError{Key: a.Key, ID: "b"}, nil, journal.ErrConflict} {
		err := <-results[i]
		var open, wantOpen *journal.OpenError
		if errors.As(want, &wantOpen) {
			if !errors.As(err, &open) || *open != *wantOpen {
				t.Errorf("row %d: %v, want %v", i, err, want)
			}
		} else if !errors.Is(err, want) {
			t.Errorf("row %d: %v, want %v", i, err, want)
		}
	}
	version(t, j, "a", 3)
	version(t, j, "b", 1)
	version(t, j, "c", 1)
	version(t, j, "other", 0)
}

// A writer whose lazy row was refused must not overwrite the row of the first writer, even if
// the version of its next row would follow.
func TestGroupSkipsTheVersionAfterARefusedLazyRow(t *testing.T) {
	j := opened(t, newPath(t), nil)
	a := testRow("a")
	put(t, j, journal.Synced, a)
	resume := pause(t, j)
	theirs, mine := later(a), later(a)
	first := putLater(t, j, theirs)
	put(t, j, journal.Lazy, mine, later(mine))
	third := putLater(t, j, later(later(mine)))
	resume()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := <-third; !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the row after two refused ones: %v", err)
	}
	version(t, j, "a", 4)
	r, err := j.Get(t.Context(), "a")
	if err != nil || string(r.State) != string(theirs.State) {
		t.Fatalf("stored is %q, %v", r.State, err)
	}
	put(t, j, journal.Synced, later(&r))
}

// endsAtSecondCheck is a context that has ended from the second call of Err on.
type endsAtSecondCheck struct {
	context.Context
	checks int
}

func (c *endsAtSecondCheck) Err() error {
	if c.checks++; c.checks == 1 {
		return nil
	}
	return context.Canceled
}

func (c *endsAtSecondCheck) Done() <-chan struct{} {
	ended := make(chan struct{})
	close(ended)
	return ended
}

func TestPutWaitsWhileTheQueueIsFull(t *testing.T) {
	j := opened(t, newPath(t), &Options{Queue: 3})
	resume := pause(t, j)
	for _, id := range []string{"a", "b", "c"} {
		put(t, j, journal.Lazy, testRow(id))
	}
	// Its context ends when Put waits, not before.
	if err := j.Put(&endsAtSecondCheck{Context: t.Context()}, testRow("d"), journal.Lazy); !errors.Is(err, context.Canceled) {
		t.Fatalf("a fourth row was queued: %v", err)
	}
	blocked := make(chan error)
	go func() { blocked <- j.Put(t.Context(), testRow("e"), journal.Lazy) }()
	resume()
	if err := <-blocked; err != nil {
		t.Fatal(err)
	}
	version(t, j, "c", 1)
	version(t, j, "d", 0)
	version(t, j, "e", 1)
}

// A synced Put whose context ends returns at once; its row may be stored all the same.
func TestPutReturnsWhenItsContextEnds(t *testing.T) {
	j := opened(t, newPath(t), nil)
	resume := pause(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := j.queue.Add(ctx, testRow("a"), journal.Synced)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := rowqueue.Wait(ctx, req); !errors.Is(err, context.Canceled) {
		t.Fatalf("Put returned %v, want context.Canceled", err)
	}
	resume()
	put(t, j, journal.Synced, testRow("b"))
	version(t, j, "a", 1)
}

// A flow may reopen in the group in which the open flow of its key ends.
func TestGroupReopensAFlow(t *testing.T) {
	j := opened(t, newPath(t), nil)
	a, b := testRow("a"), testRow("b")
	b.Key, b.Open = a.Key, false
	put(t, j, journal.Synced, a, b)
	ended, again := later(a), later(b)
	ended.Open, again.Open = false, true
	resume := pause(t, j)
	first, second := putLater(t, j, ended), putLater(t, j, again)
	resume()
	if err := errors.Join(<-first, <-second); err != nil {
		t.Fatal(err)
	}
	version(t, j, "b", 2)
}
