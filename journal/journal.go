package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Key is a merchant's intent: one purchase, payout or refund. Several flows may serve it,
// one after another. At most one of them is open. A key with an empty Payment is not
// guarded: any number of its flows may be open.
type Key struct {
	Merchant  string
	Operation policy.Operation
	Payment   string // the payment key
}

// String is for messages: "acme pay cart-77".
func (k Key) String() string {
	return fmt.Sprintf("%s %s %s", k.Merchant, k.Operation, k.Payment)
}

// Row is the stored form of one flow.
type Row struct {
	ID      string // the flow's id, not empty; never changes
	Version int64  // 1, 2, 3 …: row n replaces row n-1

	Key      Key       // never changes
	Provider string    // the provider that uses Names; never changes
	Names    []string  // order, request and provider ids of the flow; names of earlier rows are retained, and come first
	Open     bool      // the flow has not ended
	Due      time.Time // when the executor must work on the flow again; zero: never. An open row has one
	At       time.Time // when the row was written, by the writer's clock
	State    []byte    // the flow; only its writer knows the format

	// Standing is how the flow stands, in the writer's words, and Since the time from which it stands
	// so. They are for List and Count. Rows of a release that had none have "" and At.
	Standing string
	Since    time.Time

	// Seen are the other flows of Key that the writer of a first row has found, when it looked. Nil: it has
	// not looked. It is not stored.
	Seen []string

	// Tombstone is what Prune leaves of the row, as its State: the payment key must not be free
	// again. Empty: nothing is left.
	Tombstone []byte

	// Damaged is set by a read if the stored row cannot be read whole. ID is there, and Due where
	// Due returned it. The rows beside it are read as ever. Put takes no such row.
	Damaged error
}

// Durability is what Put waits for.
type Durability int

// The durabilities.
const (
	// Synced: Put returns when the row survives the loss of power.
	Synced Durability = iota
	// Lazy: Put may return earlier. The row is stored after all rows that were put before it
	// and before all rows that are put after it. Reads find it at once. If it cannot be stored
	// after Put returned nil, the next row of its writer is refused with [ErrConflict]: no
	// other row gets its version. So the versions of a flow may have gaps.
	Lazy
)

// Cursor is a position in the order of Due, then ID; in that of List, Due is the row's Since. The
// zero value is the beginning.
type Cursor struct {
	Due time.Time
	ID  string
}

// Filter selects rows for List and Count. The zero value selects every row.
type Filter struct {
	Standings []string  // one of them; empty: any
	Merchant  string    // empty: any
	Provider  string    // empty: any
	Before    time.Time // Since is before it; zero: any
}

// Tally counts rows that have Standing, Merchant and Provider in common.
type Tally struct {
	Standing, Merchant, Provider string

	Count  int
	Oldest time.Time // the first Since
}

// Journal stores flows. Implementations are safe for concurrent use. Those of other stores
// run the suite of package journaltest. Times are kept to the microsecond at least, and
// come back in UTC.
type Journal interface {
	// Put stores a row in place of its previous version. If the stored version is not
	// r.Version-1 (0 when there is no row), it returns [ErrConflict]. If the row is open and
	// another flow of its key is open, it returns an [*OpenError]. If a first row has Seen, and its key has a flow
	// that is not among them, it returns one with Unseen: two writers may look before either writes. A journal for
	// several processes need not, as their executors look again after the first row. A row that fails
	// [Row.Check] or [Row.CheckAfter] is refused too. A refused row changes nothing. Put does
	// not retain r. If ctx ends while Put waits, the row may be stored or not.
	Put(ctx context.Context, r *Row, d Durability) error

	// Get returns the row of a flow, or [ErrNotFound].
	Get(ctx context.Context, id string) (Row, error)

	// ByKey returns every flow of a key, the oldest first.
	ByKey(ctx context.Context, k Key) ([]Row, error)

	// Named returns the flows of a provider that have at least one of the names, the oldest
	// first, each once.
	Named(ctx context.Context, provider string, names ...string) ([]Row, error)

	// Due returns the rows with Due at or before by, after the cursor, in the order of Due,
	// then ID. It returns at most limit of them.
	Due(ctx context.Context, by time.Time, after Cursor, limit int) ([]Row, error)

	// List returns the rows that a filter selects, after the cursor, in the order of Since, then ID.
	// It returns at most limit of them, without Names, State and Tombstone.
	List(ctx context.Context, f Filter, after Cursor, limit int) ([]Row, error)

	// Count counts the rows that a filter selects, in the order of Standing, Merchant, Provider.
	Count(ctx context.Context, f Filter) ([]Tally, error)

	// Prune deletes the rows with a zero Due and an At before the given time, and returns their
	// number, also beside an error. Of a row with a Tombstone that is left, for ever, as the State
	// of a row without names. Get and ByKey find it; later calls of Prune do not count it. Reads
	// need not return the Tombstone of other rows.
	Prune(ctx context.Context, before time.Time) (int, error)

	// Close stores all lazy rows and releases the store. An error means that some rows could
	// not be stored. Calls after Close return [ErrClosed].
	Close() error
}
