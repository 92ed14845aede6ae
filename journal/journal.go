package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Key is a merchant's intent: one purchase, payout or refund. Several flows may serve it,
// one after another; one at a time is open. A key without Payment guards nothing.
type Key struct {
	Merchant  string
	Operation policy.Operation
	Payment   string
}

// String is for messages: "acme pay cart-77".
func (k Key) String() string {
	return fmt.Sprintf("%s %s %s", k.Merchant, k.Operation, k.Payment)
}

// Row is one flow at rest.
type Row struct {
	ID      string // of the flow; never changes
	Version int64  // 1, 2, 3 …: row n takes the place of row n-1

	Key      Key       // never changes
	Provider string    // whose names these are; never changes
	Names    []string  // under which the provider may speak of the flow; those of earlier rows stay, and come first
	Open     bool      // the flow has not ended
	Due      time.Time // when somebody has to look at it; zero: nobody has. An open row has one
	At       time.Time // when it was written, by the writer's clock
	State    []byte    // the flow, as its driver wrote it
}

// Durability is how long Put waits.
type Durability int

// The durabilities.
const (
	// Synced: Put returns when the row survives the loss of power.
	Synced Durability = iota
	// Lazy: Put may return before. The row is stored after all rows that were put before it
	// and before all that are put later; reads find it at once. If it cannot be stored after
	// Put returned nil, the next row of its writer is refused with [ErrConflict]: the version
	// it had is never given to another row, so the flow's version may skip some.
	Lazy
)

// Cursor is a place in the order of due times. The zero value is its beginning.
type Cursor struct {
	Due time.Time
	ID  string
}

// Journal stores flows. Implementations are safe for concurrent use; those of other
// stores prove themselves by package journaltest. Times are kept to the microsecond at
// least, and come back in UTC.
type Journal interface {
	// Put stores a row in the place of the version before it. A stored version that is not
	// r.Version-1 (no row: 0) is [ErrConflict]; an open row beside another open one of the
	// same key is an [*OpenError]. Either changes nothing. The row is not kept after the call.
	// If ctx ends while Put waits, the row may be stored or not. A row that fails
	// [Row.Check] or [Row.CheckAfter] is refused.
	Put(ctx context.Context, r *Row, d Durability) error

	// Get returns a flow's row; [ErrNotFound] when there is none.
	Get(ctx context.Context, id string) (Row, error)

	// ByKey returns every flow of a key, the oldest first.
	ByKey(ctx context.Context, k Key) ([]Row, error)

	// Named returns the flows of a provider that have one of the names, the oldest first.
	Named(ctx context.Context, provider string, names ...string) ([]Row, error)

	// Due returns at most limit rows that are due at a time or earlier and stand after the
	// cursor, in the order of Due, then ID.
	Due(ctx context.Context, by time.Time, after Cursor, limit int) ([]Row, error)

	// Prune removes the rows that nobody has to look at and that were written before a time.
	// It returns their number.
	Prune(ctx context.Context, before time.Time) (int, error)

	// Close stores what was put lazily and lets go; an error says that it could not be
	// stored. Calls after it return [ErrClosed].
	Close() error
}

// Errors of journals. All of them can be told apart by [errors.Is] and [errors.As].
var (
	ErrConflict = errors.New("journal: somebody else has written this flow")
	ErrNotFound = errors.New("journal: no such flow")
	ErrClosed   = errors.New("journal: closed")
	ErrOwned    = errors.New("journal: another process owns it")
	ErrLost     = errors.New("journal: another process has taken it over")
)

// OpenError says that a flow of the same key is open already.
type OpenError struct {
	Key Key
	ID  string // of the open flow
}

// Error names the key and the open flow.
func (e *OpenError) Error() string {
	return fmt.Sprintf("journal: %s has an open flow already: %s", e.Key, e.ID)
}

var lastOperation = slices.Max(policy.Operations())

// Check says what makes a row unfit to be stored, whatever the journal.
func (r *Row) Check() error {
	switch {
	case r.ID == "":
		return errors.New("journal: a row without an id")
	case r.Version < 1:
		return fmt.Errorf("journal: version %d of %s: the first is 1", r.Version, r.ID)
	case r.Key.Operation > lastOperation:
		return fmt.Errorf("journal: %s has operation %d, which there is not", r.ID, r.Key.Operation)
	case r.Open && r.Due.IsZero():
		return fmt.Errorf("journal: %s is open and nobody would ever look at it", r.ID)
	}
	return nil
}

// CheckAfter says whether a row changes what never changes: the key and the provider of
// the row that it takes the place of.
func (r *Row) CheckAfter(k Key, provider string) error {
	switch {
	case r.Key != k:
		return fmt.Errorf("journal: %s is a flow of %s and stays one; the row says %s", r.ID, k, r.Key)
	case r.Provider != provider:
		return fmt.Errorf("journal: %s is a flow of provider %q and stays one; the row says %q", r.ID, provider, r.Provider)
	}
	return nil
}
