package journal_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// The row of a flow is stored before its request is sent. A second flow of the same purchase
// is refused until the first has ended.
func Example() {
	j := journal.NewMemory()
	defer j.Close()
	ctx := context.Background()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	first := journal.Row{
		ID: "flow-1", Version: 1,
		Key:      journal.Key{Merchant: "acme", Operation: policy.Pay, Payment: "cart-77"},
		Provider: "momo", Names: []string{"order-1"},
		Open: true, Due: noon.Add(30 * time.Second), At: noon,
	}
	fmt.Println("first:", j.Put(ctx, &first, journal.Synced))

	second := first
	second.ID = "flow-2"
	err := j.Put(ctx, &second, journal.Synced)
	var open *journal.OpenError
	fmt.Println("second:", err, errors.As(err, &open))

	// A webhook names order-1.
	rows, _ := j.Named(ctx, "momo", "order-1")
	ended := rows[0]
	ended.Version++
	ended.Open, ended.Due = false, time.Time{}
	fmt.Println("end:", j.Put(ctx, &ended, journal.Synced))
	fmt.Println("same version again:", errors.Is(j.Put(ctx, &ended, journal.Synced), journal.ErrConflict))
	// Output:
	// first: <nil>
	// second: journal: acme pay cart-77 already has an open flow: flow-1 true
	// end: <nil>
	// same version again: true
}
