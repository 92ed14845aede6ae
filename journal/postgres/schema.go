package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// steps[i] takes a schema from version i to i+1. They go forward only.
//
//go:embed migrations/*.sql
var files embed.FS

var steps = func() (all []string) {
	for {
		text, err := files.ReadFile(fmt.Sprintf("migrations/%04d.sql", len(all)+1))
		if err != nil {
			return all
		}
		all = append(all, string(text))
	}
}()

// schemaNames are the names that need no quotes: they stand in each statement.
var schemaNames = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

// migrationLock keeps two processes from migrating at once. It is of a transaction, which a pooler keeps
// on one session.
const migrationLock = 0x52637273

// undefined are the errors of a table or a schema that is not there.
func undefined(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "42P01" || e.Code == "3F000")
}

// version is that of the schema; 0: there is none.
func version(ctx context.Context, c interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, schema string) (n int, err error) {
	err = c.QueryRow(ctx, "SELECT version FROM "+schema+".version").Scan(&n)
	if undefined(err) {
		return 0, nil
	}
	return n, err
}

// migrate takes the schema to the newest version, each step in a transaction. While it waited for a table that a long transaction reads (a
// backup), all that came after it would wait too, and no process could write. So it waits for moments, and tries again; waits is called once.
func migrate(ctx context.Context, c *pgx.Conn, schema string, steps []string, waits func(error)) error {
	for try := 0; ; {
		done, err := migrateOnce(ctx, c, schema, steps)
		switch {
		case done:
			return nil
		case lockTimeout(err):
			if try++; try == reportAfter {
				waits(fmt.Errorf("postgres: the migration of schema %s waits for a transaction that uses its tables, such as a backup's: %w", schema, err))
			}
			select {
			case <-time.After(3 * migrationPatience): // for those that waited behind it
			case <-ctx.Done():
				return fmt.Errorf("postgres: schema %s was not migrated, and is as it was: %w", schema, errors.Join(ctx.Err(), err))
			}
		case err != nil:
			return fmt.Errorf("postgres: schema %s cannot be migrated: %w", schema, err)
		}
	}
}

// migrationPatience is how long a migration waits for a table. It is well within a lease.
const migrationPatience = 300 * time.Millisecond

// lockTimeout reports whether something was locked for longer than was to be waited.
func lockTimeout(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "55P03"
}

func migrateOnce(ctx context.Context, c *pgx.Conn, schema string, steps []string) (done bool, err error) {
	tx, err := c.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // after the commit there is nothing to roll back
	if _, err := tx.Exec(ctx, "SELECT pg_catalog.pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
		return false, err
	}
	// Not before: another process may migrate for long.
	if _, err := tx.Exec(ctx, "SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', '0', true)", strconv.FormatInt(migrationPatience.Milliseconds(), 10)); err != nil {
		return false, err
	}
	// A missing table would end the transaction, so the catalogue is asked first.
	var there bool
	err = tx.QueryRow(ctx, "SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'version'", schema).Scan(&there)
	if err != nil {
		return false, err
	}
	n := 0
	if there {
		if n, err = version(ctx, tx, schema); err != nil {
			return false, err
		}
	}
	if n >= len(steps) {
		return true, nil
	}
	text := strings.ReplaceAll(steps[n], "{schema}", schema)
	if n == 0 {
		text = "CREATE SCHEMA IF NOT EXISTS " + schema + ";\nCREATE TABLE " + schema + ".version (version int NOT NULL);\nINSERT INTO " +
			schema + ".version VALUES (0);\n" + text
	}
	text += fmt.Sprintf("\nUPDATE %s.version SET version = %d;", schema, n+1)
	// Several statements in one call: the simple protocol, without arguments.
	if _, err := tx.Conn().PgConn().Exec(ctx, text).ReadAll(); err != nil {
		return false, fmt.Errorf("from version %d to %d: %w", n, n+1, err)
	}
	return false, tx.Commit(ctx)
}

// checkSchema compares the schema with what this release knows.
func checkSchema(found int, schema string) error {
	switch {
	case found == len(steps):
		return nil
	case found > len(steps):
		return fmt.Errorf("postgres: schema %s has version %d; this release knows versions up to %d", schema, found, len(steps))
	case found == 0:
		return fmt.Errorf("postgres: there is no journal in schema %s; open it once with Options.Migrate, as a role that may create tables", schema)
	}
	return fmt.Errorf("postgres: schema %s has version %d, and this release needs %d; open it once with Options.Migrate, as a role that may change its tables", schema, found, len(steps))
}
