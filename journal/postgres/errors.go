package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse-pay/recourse/journal"
)

var errReadOnly = errors.New("postgres: the journal is open for reading only")

func isLost(err error) bool { return errors.Is(err, journal.ErrLost) }

// lostError says that the database does not know this process any more as the one that it was.
func lostError(why string) error { return fmt.Errorf("%w: %s", journal.ErrLost, why) }

// again reports whether a group that was not committed may be stored by another try, on a connection that still works:
// other writers were in its way, or the server stops or starts.
func again(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return errors.Is(err, errChanged)
	}
	switch e.Code {
	case "40001", "40P01", "23505", "55P03", // another writer
		"53300", "25P02", "25P03", "25P04", // no connection is free; the transaction has ended before
		"25006": // the server has become one that only reads
		return true
	}
	return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P")
}

// aborted reports whether the answer to a COMMIT says for certain that nothing was stored. Any other error leaves it
// open, whatever its text says: "conn closed" also stands for a COMMIT that was executed.
func aborted(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code != "40003" && (strings.HasPrefix(e.Code, "23") || strings.HasPrefix(e.Code, "40"))
}

// unstorable reports whether the fault is in a value of a row: a text, a time, a size.
func unstorable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (strings.HasPrefix(e.Code, "22") || strings.HasPrefix(e.Code, "54") || strings.HasPrefix(e.Code, "23") && e.Code != "23505")
}

// blocked reports whether a row was not written because a transaction that has not ended holds it, or its key. While
// a whole table is locked (a migration) the server names no row.
func blocked(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "55P03" && e.Where != ""
}

// readOnly reports whether the server takes no writes.
func readOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "25006"
}

// errChanged says that another process has changed rows between the statements of a group.
var errChanged = errors.New("postgres: another process has changed the rows meanwhile")

// errMiscounted says that the row of this process is not what this process left.
var errMiscounted = errors.New("postgres: the count of the groups does not follow")

// transient reports whether a read may succeed when it is tried again.
func transient(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true // of the connection
	}
	return again(err)
}
