package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/journal"
)

// A migration that waits for a transaction that reads a table, as a backup does for hours, does not keep the processes from writing.
func TestWritesGoOnWhileAMigrationWaits(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	j := opened(t, Options{})
	defer closed(t, j)
	execute(t, j, `DROP INDEX {schema}.flow_key; CREATE INDEX flow_key ON {schema}.flow (key); UPDATE {schema}.version SET version = 2`)
	backup, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close(ctx)
	if _, err := backup.Exec(ctx, "BEGIN; SELECT count(*) FROM "+j.opts.Schema+".flow"); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() {
		newer, err := Open(ctx, server.URL(), &Options{Schema: j.opts.Schema, Migrate: true})
		if err == nil {
			err = newer.Close()
		}
		migrated <- err
	}()
	waitFor(t, "the migration waits", func() bool {
		var n int
		err := j.pool.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%DROP INDEX "+j.opts.Schema+".flow_key%'").Scan(&n)
		return err == nil && n > 0
	})
	if err := j.Put(ctx, row("1"), journal.Synced); err != nil {
		t.Fatalf("a row while the migration waits: %v", err)
	}
	select {
	case err := <-migrated:
		t.Fatalf("the migration did not wait: %v", err)
	default:
	}
	if _, err := backup.Exec(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Errorf("after the backup: %v", err)
	}
}
