package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// The errors of journals. Journals wrap them: test with [errors.Is].
var (
	ErrConflict = errors.New("journal: the stored version is not the previous one")
	ErrNotFound = errors.New("journal: no such flow")
	ErrClosed   = errors.New("journal: closed")
	ErrOwned    = errors.New("journal: another process owns it")           // when it is opened
	ErrLost     = errors.New("journal: another process has taken it over") // from then on, for every call
)

// OpenError says that another flow of the key is open, or has come and ended since the writer of a first row looked.
type OpenError struct {
	Key    Key
	ID     string // of the other flow
	Unseen bool   // it is none that is open, but one that is not in Row.Seen
}

// Error names the key and the other flow.
func (e *OpenError) Error() string {
	if e.Unseen {
		return fmt.Sprintf("journal: %s has had another flow since its writer looked: %s", e.Key, e.ID)
	}
	return fmt.Sprintf("journal: %s already has an open flow: %s", e.Key, e.ID)
}

var lastOperation = slices.Max(policy.Operations())

// Check returns an error for a row that no journal may store.
func (r *Row) Check() error {
	switch {
	case r.Damaged != nil:
		return fmt.Errorf("journal: Row %s must not be damaged: %w", r.ID, r.Damaged)
	case r.ID == "":
		return errors.New("journal: Row.ID must not be empty")
	case r.Version < 1:
		return fmt.Errorf("journal: Row.Version of %s must be 1 or more, not %d", r.ID, r.Version)
	case r.Key.Operation > lastOperation:
		return fmt.Errorf("journal: Row.Key.Operation of %s is unknown: %d", r.ID, r.Key.Operation)
	case r.Open && r.Due.IsZero():
		// No sweep would find such a row after a crash.
		return fmt.Errorf("journal: Row.Due of %s must not be zero: the row is open", r.ID)
	}
	return nil
}

// CheckAfter returns an error for a row that changes the key or the provider of the row
// that it replaces.
func (r *Row) CheckAfter(k Key, provider string) error {
	switch {
	case r.Key != k:
		return fmt.Errorf("journal: Row.Key of %s must not change from %s to %s", r.ID, k, r.Key)
	case r.Provider != provider:
		return fmt.Errorf("journal: Row.Provider of %s must not change from %q to %q", r.ID, provider, r.Provider)
	}
	return nil
}
