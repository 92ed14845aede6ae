package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	sqlite3 "modernc.org/sqlite"
)

// conn is a connection of the driver, without the pool of database/sql. The committer is its
// only user, and the pool's work for each statement would cost throughput.
type conn struct {
	driver.Conn
}

// dsn returns the address of a file. It is a URI because a path may contain a question mark.
func dsn(path string, readOnly bool, pragmas ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/journal.db
	}
	options := url.Values{"_pragma": pragmas}
	if readOnly {
		options.Set("mode", "ro")
	}
	return (&url.URL{Scheme: "file", Path: slashed, OmitHost: true, RawQuery: options.Encode()}).String()
}

func connect(dsn string) (*conn, error) {
	c, err := new(sqlite3.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{c}, nil
}

// exec runs a script.
func (c *conn) exec(script string) error {
	_, err := c.Conn.(driver.ExecerContext).ExecContext(context.Background(), script, nil)
	return err
}

// rollback ends a failed transaction. It ignores the error: SQLite may have ended the
// transaction itself.
func (c *conn) rollback() { _ = c.exec("ROLLBACK") }

// queryRow reads the first row of the result. It returns [io.EOF] if there is none.
func (c *conn) queryRow(query string, into ...any) error {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		return err
	}
	return scan(rows, into)
}

// stmt is a prepared statement. It reuses its slice of arguments, to save allocations.
type stmt struct {
	driver.Stmt
	args []driver.NamedValue
}

func (c *conn) prepare(query string) (*stmt, error) {
	s, err := c.Conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, query)
	}
	return &stmt{Stmt: s}, nil
}

func (s *stmt) bind(args []driver.Value) {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
}

func (s *stmt) exec(args ...driver.Value) (driver.Result, error) {
	s.bind(args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), s.args)
}

// queryRow reads the first row of the result. It returns [io.EOF] if there is none.
func (s *stmt) queryRow(args []driver.Value, into ...any) error {
	s.bind(args)
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.args)
	if err != nil {
		return err
	}
	return scan(rows, into)
}

// each reads the rows of the result until f says that it wants no more. A row holds until f returns.
func (s *stmt) each(args []driver.Value, f func(row []driver.Value) (more bool)) error {
	s.bind(args)
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.args)
	if err != nil {
		return err
	}
	values := make([]driver.Value, len(rows.Columns()))
	for more := true; more && err == nil; {
		if err = rows.Next(values); err == nil {
			more = f(values)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// changed reports whether a statement changed exactly one row.
func changed(result driver.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func scan(rows driver.Rows, into []any) error {
	values := make([]driver.Value, len(into))
	err := rows.Next(values)
	if err = errors.Join(err, rows.Close()); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return err
	}
	for i, v := range values {
		ok := true
		switch to := into[i].(type) {
		case *int64:
			*to, ok = v.(int64)
		case *string:
			*to, ok = v.(string)
		case *[]byte:
			*to, _ = v.([]byte) // the driver returns nil for an empty one
		}
		if !ok {
			return fmt.Errorf("sqlite: %w: column %d of the answer is a %T", errDamagedRow, i+1, v)
		}
	}
	return nil
}
