package sqlite

import (
	"fmt"

	"github.com/recourse-pay/recourse/journal"
)

// OwnedError says who owns the file. It is a [journal.ErrOwned].
type OwnedError struct {
	Path string
	PID  int // 0: the owner has not said yet
}

// Error names the file and its owner.
func (e *OwnedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%v: %s", journal.ErrOwned, e.Path)
	}
	return fmt.Sprintf("%v: %s, process %d", journal.ErrOwned, e.Path, e.PID)
}

// Unwrap returns [journal.ErrOwned].
func (e *OwnedError) Unwrap() error { return journal.ErrOwned }

// SchemaError says that a newer release wrote the file.
type SchemaError struct {
	Path  string
	File  int // the version of the file's schema
	Known int // the newest version that this release knows
}

// Error names both versions.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("sqlite: %s has schema version %d; this release knows versions up to %d", e.Path, e.File, e.Known)
}

// ForeignError says that the file is a database of something else.
type ForeignError struct {
	Path          string
	ApplicationID int64
}

// Error names the file and what it says of itself.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("sqlite: %s is a SQLite database, but not a journal (application id %#x); it is left as it is", e.Path, e.ApplicationID)
}
