package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// A lazy row is refused in the group that stores the first row of its flow: the next row of its writer is refused too.
func TestRefusedLazyRowBesideTheFirst(t *testing.T) {
	j := opened(t, Options{Hold: time.Hour})
	defer closed(t, j)
	first := row("1")
	for range 2 { // the second one has the version of the first
		if err := j.Put(context.Background(), first, journal.Lazy); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Put(context.Background(), next(first), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the row after a refused one returned %v", err)
	}
	stored, err := j.Get(context.Background(), "1")
	if err != nil || stored.Version != 2 || string(stored.State) != string(first.State) {
		t.Fatalf("stored is version %d, %q, %v", stored.Version, stored.State, err)
	}
}
