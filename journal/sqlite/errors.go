package sqlite

import (
	"fmt"

	"github.com/recourse-pay/recourse/journal"
)

// ownedError says that another process or journal has the file open. It wraps
// [journal.ErrOwned].
type ownedError struct {
	Path string
	PID  int // of the owner; 0: unknown
}

// Error names the file and the owner.
func (e *ownedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%v: %s", journal.ErrOwned, e.Path)
	}
	return fmt.Sprintf("%v: %s, process %d", journal.ErrOwned, e.Path, e.PID)
}

// Unwrap returns [journal.ErrOwned].
func (e *ownedError) Unwrap() error { return journal.ErrOwned }

// schemaError says that a newer release wrote the file.
type schemaError struct {
	Path  string
	File  int // the version of the file's schema
	Known int // the newest version that this release knows
}

// Error names both versions.
func (e *schemaError) Error() string {
	return fmt.Sprintf("sqlite: %s has schema version %d; this release knows versions up to %d", e.Path, e.File, e.Known)
}

// foreignError says that the file is a SQLite database of another program. Open has not
// changed it.
type foreignError struct {
	Path          string
	ApplicationID int64 // as in PRAGMA application_id; 0: none
}

// Error names the file and its application id.
func (e *foreignError) Error() string {
	return fmt.Sprintf("sqlite: %s is a SQLite database of another program (application id %#x), not a journal; it was not changed", e.Path, e.ApplicationID)
}
