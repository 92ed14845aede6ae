package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// clone fills the tables with copies of the flows that are there: so many that have ended, and so many that are open and wait
// for a day. Each has an id, a key and names of its own, and each was written a second before the other.
func clone(t testing.TB, schema string, ended, open int) {
	t.Helper()
	in := func(text string) string { return strings.ReplaceAll(text, "{schema}", schema) }
	c := connected(t)
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{sql: `CREATE TEMPORARY TABLE genuine AS SELECT f.*, row_number() OVER (PARTITION BY f.open ORDER BY f.id) - 1 AS nth, count(*) OVER (PARTITION BY f.open) AS among FROM {schema}.flow f`},
		{`INSERT INTO {schema}.flow (id, version, fence, open, due, at, standing, since, state, tombstone, names, merchant, operation, payment, provider, key)
			SELECT g.id || '~' || i, g.version, g.fence, g.open, CASE WHEN g.open THEN now() + interval '1 day' + i * interval '1 ms' END, now() - i * interval '1 s', g.standing, g.since, g.state, g.tombstone,
				ARRAY(SELECT u.name || convert_to('~' || i, 'UTF8') FROM unnest(g.names) AS u (name)), g.merchant, g.operation, g.payment || '~' || i, g.provider,
				sha256(g.key || convert_to(i::text, 'UTF8'))
			FROM generate_series(1, $1::int + $2::int) i JOIN genuine g ON g.open = (i > $1::int) AND g.nth = i % g.among`, []any{ended, open}},
		{sql: `INSERT INTO {schema}.name SELECT sha256(convert_to(f.provider, 'UTF8') || decode('00', 'hex') || u.name), f.id
			FROM {schema}.flow f, unnest(f.names) AS u (name) WHERE f.id LIKE '%~%'`},
	} {
		if _, err := c.Exec(context.Background(), in(step.sql), step.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// cloneAge is how long ago the nth copy was written.
func cloneAge(n int) time.Duration { return time.Duration(n) * time.Second }

func connected(t testing.TB) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// TestNoStatementWalksOverTheTable asks the server how it would carry out each statement: with the statistics of its tables, and
// without them, as after pg_upgrade, a restored dump, or in the first minutes of a table that grows quickly. It then takes a
// key for that of many rows, and would read the whole table for a few keys.
func TestNoStatementWalksOverTheTable(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{})
	defer closed(t, j)
	ended := row("ended")
	ended.Open, ended.Due, ended.Standing = false, time.Time{}, "succeeded"
	put(t, j, row("open"), ended)
	for _, table := range []string{"flow", "name", "message"} {
		sql(t, server.URL(), fmt.Sprintf("ALTER TABLE %s.%s SET (autovacuum_enabled = off)", j.opts.Schema, table))
	}
	clone(t, j.opts.Schema, 9_000, 1_000)
	for i := range 500 {
		if err := j.Leave(ctx, fmt.Sprintf("open~%d", i), []byte("m")); err != nil {
			t.Fatal(err)
		}
	}
	for _, statistics := range []bool{false, true} {
		if statistics {
			sql(t, server.URL(), fmt.Sprintf("ANALYZE %s.flow, %[1]s.name, %[1]s.message", j.opts.Schema))
		}
		for _, n := range []int{1, 20, 100} {
			for what, one := range j.explained(n) {
				plan := j.plan(t, one)
				for _, table := range []string{"flow", "name"} {
					if strings.Contains(plan, "Seq Scan on "+table) {
						t.Errorf("%s of %d, statistics %v, walks over the table %s:\n%s", what, n, statistics, table, plan)
					}
				}
			}
		}
	}
}

// query is a statement with its arguments.
type query struct {
	sql   string
	args  []any
	group bool // it is sent in the transaction of a group
}

// explained are the statements that are sent often, for so many flows.
func (j *Journal) explained(n int) map[string]query {
	var digests, states [][]byte
	var ids, texts []string
	var names []*string
	var versions []int64
	var open []bool
	var due []*time.Time
	var at []time.Time
	for i := range n {
		id := fmt.Sprintf("open~%d", i+9_001)
		digests, states, ids = append(digests, digest(row(id).Key)), append(states, []byte("state")), append(ids, id)
		texts, names, versions = append(texts, "open"), append(names, nil), append(versions, 1)
		open, due, at = append(open, true), append(due, &epoch), append(at, epoch)
	}
	hashes, before := bytesText(digests), time.Now()
	update := []any{j.token, ids, versions, versions, open, due, at, texts, at, bytesText(states), bytesText(states), names}
	return map[string]query{
		"openKeys":    {j.sql.openKeys, []any{hashes}, true},
		"lockFlows":   {j.sql.lockFlows, []any{j.token, ids}, true},
		"update":      {j.sql.update, update, true},
		"insertNames": {j.sql.insertNames, []any{hashes, ids}, true},
		"raise":       {j.sql.raise, []any{ids, versions}, true},
		"get":         {j.sql.get, []any{ids[0]}, false},
		"byKey":       {j.sql.byKey, []any{hashes}, false},
		"named":       {j.sql.named, []any{hashes}, false},
		"due":         {j.sql.due, []any{before, time.Time{}, "", n}, false},
		"claim":       {j.sql.claim, []any{j.token, before, time.Time{}, "", never, n}, false},
		"take":        {j.sql.take, []any{j.token, ids[0]}, false},
		"giveUp":      {j.sql.giveUp, []any{j.token, ids[0]}, false},
		"prune":       {j.sql.prune, []any{before, n}, false},
		"collect":     {j.sql.collect, []any{j.token, n}, false},
		"standings":   {j.sql.standings, []any{""}, false},
		"list":        {j.sql.list + "f.standing = $1 ORDER BY f.since, f.id LIMIT $2", []any{"open", n}, false},
	}
}

// plan is how the server would carry it out.
func (j *Journal) plan(t *testing.T, q query) string {
	t.Helper()
	ctx := context.Background()
	tx, err := j.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if q.group {
		if _, err := tx.Exec(ctx, settings, "0", "0"); err != nil {
			t.Fatal(err)
		}
	}
	found, err := tx.Query(ctx, "EXPLAIN "+q.sql, q.args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", q.sql, err)
	}
	return strings.Join(lines, "\n")
}
