package journaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// guarantee is one guarantee of the interface and its test.
type guarantee struct {
	name string
	test func(*testing.T, journal.Journal)
}

// Run tests the guarantees of [journal.Journal]. Open is called once for each subtest; the
// journals that it returns must be new and empty. Run closes them.
func Run(t *testing.T, open func(t *testing.T) journal.Journal) {
	t.Helper()
	for _, group := range [][]guarantee{versions, keys, names, dueTimes, lists, lazyRows, lifecycle, sizes} {
		for _, g := range group {
			t.Run(g.name, func(t *testing.T) {
				j := open(t)
				g.test(t, j)
				if err := j.Close(); err != nil && !errors.Is(err, journal.ErrClosed) {
					t.Errorf("Close: %v", err)
				}
			})
		}
	}
	t.Run("agrees with a naive model under random operations", func(t *testing.T) { compareWithModel(t, open) })
}

// epoch is the start time of every test.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// flow returns the first row of an open flow that is due at the epoch.
func flow(id string) *journal.Row {
	return &journal.Row{
		ID:       id,
		Version:  1,
		Key:      journal.Key{Merchant: "acme", Operation: policy.Pay, Payment: "cart-" + id},
		Provider: "momo",
		Names:    []string{"order-" + id},
		Open:     true,
		Due:      epoch,
		At:       epoch,
		State:    []byte("state of " + id),
		Standing: "open",
		Since:    epoch,
	}
}

// next returns the next version of a row, after a change.
func next(r *journal.Row, change func(*journal.Row)) *journal.Row {
	after := *r
	after.Version++
	after.Names = slices.Clone(r.Names)
	after.State = fmt.Appendf(nil, "state of %s, version %d", r.ID, after.Version)
	if change != nil {
		change(&after)
	}
	return &after
}

func end(r *journal.Row) { r.Open, r.Due = false, time.Time{} }

func put(t *testing.T, j journal.Journal, rows ...*journal.Row) {
	t.Helper()
	for _, r := range rows {
		if err := j.Put(context.Background(), r, journal.Synced); err != nil {
			t.Fatalf("Put of %s version %d: %v", r.ID, r.Version, err)
		}
	}
}

func putLazily(t *testing.T, j journal.Journal, rows ...*journal.Row) {
	t.Helper()
	for _, r := range rows {
		if err := j.Put(context.Background(), r, journal.Lazy); err != nil {
			t.Fatalf("lazy Put of %s version %d: %v", r.ID, r.Version, err)
		}
	}
}

func refused(t *testing.T, j journal.Journal, r *journal.Row, want error) {
	t.Helper()
	if err := j.Put(context.Background(), r, journal.Synced); !errors.Is(err, want) {
		t.Fatalf("Put of %s version %d returned %v, want %v", r.ID, r.Version, err, want)
	}
}

func get(t *testing.T, j journal.Journal, id string) journal.Row {
	t.Helper()
	r, err := j.Get(context.Background(), id)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	return r
}

// stored checks that the stored row equals want.
func stored(t *testing.T, j journal.Journal, want *journal.Row) {
	t.Helper()
	got := get(t, j, want.ID)
	if diff := difference(&got, want); diff != "" {
		t.Fatalf("the stored row of %s has another %s:\n got %+v\nwant %+v", want.ID, diff, got, *want)
	}
}

// difference names the first field in which two rows differ.
func difference(a, b *journal.Row) string {
	switch {
	case a.ID != b.ID:
		return "ID"
	case a.Version != b.Version:
		return "Version"
	case a.Key != b.Key:
		return "Key"
	case a.Provider != b.Provider:
		return "Provider"
	case !slices.Equal(a.Names, b.Names):
		return "Names"
	case a.Open != b.Open:
		return "Open"
	case !a.Due.Equal(b.Due) || a.Due.IsZero() != b.Due.IsZero():
		return "Due"
	case !a.At.Equal(b.At):
		return "At"
	case string(a.State) != string(b.State):
		return "State"
	case a.Standing != b.Standing:
		return "Standing"
	case !a.Since.Equal(b.Since) || a.Since.IsZero() != b.Since.IsZero():
		return "Since"
	}
	return ""
}

// ids checks which flows were found, and in which order.
func ids(t *testing.T, what string, rows []journal.Row, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s found %q, want %q", what, got, want)
	}
}

func named(t *testing.T, j journal.Journal, provider string, names []string, want ...string) {
	t.Helper()
	rows, err := j.Named(context.Background(), provider, names...)
	ids(t, fmt.Sprintf("Named(%s, %q)", provider, names), rows, err, want...)
}

func byKey(t *testing.T, j journal.Journal, k journal.Key, want ...string) {
	t.Helper()
	rows, err := j.ByKey(context.Background(), k)
	ids(t, fmt.Sprintf("ByKey(%s)", k), rows, err, want...)
}

func due(t *testing.T, j journal.Journal, by time.Time, want ...string) {
	t.Helper()
	rows, err := j.Due(context.Background(), by, journal.Cursor{}, 1000)
	ids(t, fmt.Sprintf("Due(%s)", by.Format(time.RFC3339Nano)), rows, err, want...)
}
