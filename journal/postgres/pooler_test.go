package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

// newPooler starts PgBouncer before the server.
func newPooler(t *testing.T) (url string) {
	t.Helper()
	p, err := server.StartPooler()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", p.Address())
}

// The whole conformance suite, and two executors, behind a pooler that gives a session for one transaction.
func TestBehindATransactionPooler(t *testing.T) {
	if testkit.Size(0, 0, 1) == 0 {
		return // PgBouncer is for the tag slow
	}
	url := newPooler(t)
	paths := map[string]string{}
	open := func(t *testing.T, schema string) *Journal {
		j, err := Open(context.Background(), url, &Options{Schema: schema, Migrate: true, OnError: func(err error) { t.Log(err) }})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal {
		if paths[path] == "" || strings.Contains(t.Name(), "random") {
			paths[path] = newSchema()
		}
		return open(t, paths[path])
	})
	schema := newSchema()
	a, b := open(t, schema), open(t, schema)
	defer closed(t, b)
	put(t, a, row("1"), next(row("1")))
	if err := b.Put(context.Background(), next(next(row("1"))), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("a write of a flow that another process holds: %v", err)
	}
	closed(t, a)
	time.Sleep(10 * time.Millisecond)
	if got := claimed(t, b); len(got) != 1 {
		t.Errorf("claimed %q", got)
	}
}

// Another program of the pool leaves its settings in the sessions, which a pooler for transactions does not take back.
func TestSettingsThatAnotherProgramLeaves(t *testing.T) {
	if testkit.Size(0, 0, 1) == 0 {
		return // PgBouncer is for the tag slow
	}
	ctx := context.Background()
	url := newPooler(t)
	j, err := Open(ctx, url, &Options{Schema: newSchema(), Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, j)
	execute(t, j, `CREATE TABLE {schema}.seen (value text);
		CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO {schema}.seen VALUES (current_setting('synchronous_commit') || ' ' || current_setting('statement_timeout')); RETURN NULL; END $$;
		CREATE TRIGGER see AFTER INSERT OR UPDATE OF version ON {schema}.flow FOR EACH ROW EXECUTE FUNCTION {schema}.see()`)
	var all []*pgx.Conn
	for range 4 { // as many as the pooler has sessions
		c, err := pgx.Connect(ctx, url+"&default_query_exec_mode=simple_protocol")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "BEGIN"); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		for _, text := range []string{
			"COMMIT; BEGIN", "SET synchronous_commit = off", "SET statement_timeout = '7min'", "SET bytea_output = escape", "SET DateStyle = German", "SET array_nulls = off",
			"SET standard_conforming_strings = off", "SET lock_timeout = 1", "PREPARE stmtcache_1 AS SELECT 1", "COMMIT",
		} {
			if _, err := c.Exec(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	lifeOfARow(t, j)
	var seen int
	err = j.pool.QueryRow(ctx, "SELECT count(*) FROM "+j.opts.Schema+".seen WHERE value <> 'on 0'").Scan(&seen)
	if err != nil || seen != 0 {
		t.Errorf("%d rows were written with another program's settings, %v", seen, err)
	}
}
