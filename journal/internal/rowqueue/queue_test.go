package rowqueue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

func row(id string) *journal.Row { return &journal.Row{ID: id, Version: 1} }

func add(t *testing.T, q *rowqueue.Queue, id string, d journal.Durability) *rowqueue.Request {
	t.Helper()
	req, err := q.Add(t.Context(), row(id), d)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// Lazy rows are committed without a read or a synced Put; until then a read that needs them waits.
func TestLazyRowsAreTakenByTimer(t *testing.T) {
	q := rowqueue.New(rowqueue.Options{Rows: 10, Hold: time.Millisecond})
	add(t, q, "a", journal.Lazy)
	group, closed := q.Next()
	if len(group) != 1 || closed {
		t.Fatalf("%d rows were taken, closed: %t", len(group), closed)
	}
	gone, cancel := context.WithCancel(t.Context())
	go cancel()
	if err := q.WaitLazy(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a lazy row that is not stored was not waited for: %v", err)
	}
	rowqueue.Finish(group, nil)
	q.Done(group)
	if err := q.WaitLazy(t.Context()); err != nil {
		t.Error(err)
	}
}

// A read does not wait for the time for which lazy rows are held, nor, where only keys and names count, for rows that bring none.
func TestReadsHurryLazyRows(t *testing.T) {
	q := rowqueue.New(rowqueue.Options{Rows: 10, Hold: 1000 * time.Hour})
	later := row("a")
	later.Version = 2
	if err := q.Put(t.Context(), later, journal.Lazy); err != nil {
		t.Fatal(err)
	}
	if err := q.WaitNamed(t.Context()); err != nil {
		t.Error(err)
	}
	go func() {
		group, _ := next(q)
		rowqueue.Finish(group, nil)
		q.Done(group)
	}()
	if err := q.WaitLazy(t.Context()); err != nil {
		t.Error(err)
	}
}

// next takes rows: callers that wait wake the committer, too, where none has come yet.
func next(q *rowqueue.Queue) (group []*rowqueue.Request, closed bool) {
	for len(group) == 0 && !closed {
		group, closed = q.Next()
		if len(group) == 0 {
			q.Done(group)
		}
	}
	return group, closed
}

// A queue that is full makes Add wait until a group is finished, or its context ends; and each row has a result of its own.
func TestAFullQueueMakesCallersWait(t *testing.T) {
	q := rowqueue.New(rowqueue.Options{Rows: 1, Hold: time.Hour})
	first := add(t, q, "a", journal.Synced)
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := q.Add(ctx, row("b"), journal.Synced); !errors.Is(err, context.Canceled) {
		t.Errorf("Add to a full queue: %v", err)
	}
	second := make(chan error, 1)
	go func() { second <- q.Put(t.Context(), row("c"), journal.Synced) }()
	for _, refused := range []error{journal.ErrConflict, nil} {
		group, _ := next(q)
		if len(group) != 1 {
			t.Fatalf("%d rows", len(group))
		}
		group[0].Err = refused
		rowqueue.Finish(group, nil)
		q.Done(group)
	}
	if err := rowqueue.Wait(t.Context(), first); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("the first: %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
}

// What is put after Close, after the journal is lost, or into a journal for reading, is refused; and those who wait are not left.
func TestAQueueRefuses(t *testing.T) {
	readOnly := errors.New("for reading")
	if err := rowqueue.New(rowqueue.Options{Rows: 1, ReadOnly: readOnly}).Put(t.Context(), row("a"), journal.Lazy); !errors.Is(err, readOnly) {
		t.Errorf("a journal for reading: %v", err)
	}
	q := rowqueue.New(rowqueue.Options{Rows: 10, Hold: time.Hour})
	waiting := add(t, q, "a", journal.Synced)
	if !q.Close() || q.Close() {
		t.Error("Close does not say who was first")
	}
	if err := q.Put(t.Context(), row("b"), journal.Lazy); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	q.Hurry()
	group, closed := next(q)
	if len(group) != 1 || !closed {
		t.Fatalf("the last group has %d rows, closed: %t", len(group), closed)
	}
	for _, err := range []error{q.CheckLost(journal.ErrLost), q.CheckLost(nil), q.Usable()} {
		if !errors.Is(err, journal.ErrLost) {
			t.Errorf("a journal that is lost: %v", err)
		}
	}
	<-q.Lost()
	rowqueue.Finish(group, q.CheckLost(nil))
	q.Done(group)
	if err := rowqueue.Wait(t.Context(), waiting); !errors.Is(err, journal.ErrLost) {
		t.Errorf("the row that waited: %v", err)
	}
}
