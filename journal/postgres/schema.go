package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

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

// migrate takes the schema to the newest version, each step in a transaction.
func migrate(ctx context.Context, c *pgx.Conn, schema string, steps []string) error {
	for {
		done, err := migrateOnce(ctx, c, schema, steps)
		if err != nil {
			return fmt.Errorf("postgres: schema %s cannot be migrated: %w", schema, err)
		}
		if done {
			return nil
		}
	}
}

func migrateOnce(ctx context.Context, c *pgx.Conn, schema string, steps []string) (done bool, err error) {
	tx, err := c.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // after the commit there is nothing to roll back
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
		return false, err
	}
	// A missing table would end the transaction, so the catalogue is asked first.
	var there bool
	err = tx.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'version'", schema).Scan(&there)
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
