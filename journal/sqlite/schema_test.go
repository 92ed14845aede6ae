package sqlite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// newFile runs a script in a new file, as another program would.
func newFile(t *testing.T, script string) string {
	t.Helper()
	path := newPath(t)
	c, err := connect(dsn(path, false))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.exec(script); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestForeignFileIsNotChanged(t *testing.T) {
	for script, id := range map[string]int64{
		"CREATE TABLE users (name TEXT)":                           0,
		"PRAGMA application_id = 77":                               77,
		"PRAGMA user_version = 3":                                  0,
		"PRAGMA application_id = 77; CREATE TABLE flow (n, state)": 77,
	} {
		path := newFile(t, script)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(path, nil)
		var foreign *foreignError
		if !errors.As(err, &foreign) || foreign.ApplicationID != id {
			t.Errorf("%s: Open returned %v", script, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || string(after) != string(before) {
			t.Errorf("%s: the file was changed (%v)", script, err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	set(t, j, "PRAGMA user_version = 9")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, nil)
	var newer *schemaError
	if !errors.As(err, &newer) || newer.File != 9 || newer.Known != len(migrations) {
		t.Fatalf("Open returned %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "9") || !strings.Contains(text, fmt.Sprint("up to ", len(migrations))) || !strings.Contains(text, path) {
		t.Fatalf("the error is %q", text)
	}
}

// An interrupted creation leaves an empty file, or one with nothing but its journal mode.
func TestOpenAfterInterruptedCreation(t *testing.T) {
	half := strings.SplitAfter(migrations[0], ");")[0]
	for what, path := range map[string]string{
		"an empty file":      newPath(t),
		"only the mode":      newFile(t, "PRAGMA journal_mode = WAL"),
		"a step rolled back": newFile(t, "PRAGMA journal_mode = WAL; BEGIN; "+half+"; ROLLBACK"),
		"a dropped table":    newFile(t, half+"; DROP TABLE owner"),
	} {
		if what == "an empty file" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		j := opened(t, path, nil)
		put(t, j, journal.Synced, testRow("a"))
		version(t, j, "a", 1)
	}
}

func TestMigrations(t *testing.T) {
	path := newPath(t)
	c, err := connect(dsn(path, false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(version, applied int64) {
		t.Helper()
		var v, n int64
		if err := errors.Join(c.queryRow("PRAGMA user_version", &v), c.queryRow("SELECT count(*) FROM step", &n)); err != nil {
			t.Fatal(err)
		}
		if v != version || n != applied {
			t.Fatalf("version %d after %d steps, want %d after %d", v, n, version, applied)
		}
	}
	steps := []string{"CREATE TABLE step (n)", "INSERT INTO step VALUES (1)", "INSERT INTO step VALUES (2); INSERT INTO nothing VALUES (3)"}
	if err := migrate(c, path, steps[:1]); err != nil {
		t.Fatal(err)
	}
	check(1, 0)
	err = migrate(c, path, steps)
	if err == nil || !strings.Contains(err.Error(), "from schema version 2 to 3") {
		t.Fatalf("a step that fails: %v", err)
	}
	check(2, 1) // the second step is committed, the third is rolled back
	steps[2] = "INSERT INTO step VALUES (2)"
	for range 2 {
		if err := migrate(c, path, steps); err != nil {
			t.Fatal(err)
		}
		check(3, 2)
	}
}

// Rows of a file of before tombstones do not say whether their key is paid: those with a key are not pruned.
func TestRowsFromBeforeTombstonesKeepTheirKeys(t *testing.T) {
	row := func(n, key, due string) string {
		return "INSERT INTO flow VALUES (" + n + ", 1, 0, " + due + ", 1, 'f" + n + "', 'm', 'pay', '" + key + "', 'momo', x'', 'state');"
	}
	path := newFile(t, migrations[0]+row("1", "k1", "NULL")+row("2", "", "NULL")+row("3", "k3", "99")+
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
	j := opened(t, path, nil)
	if n, err := j.Prune(t.Context(), time.Now()); n != 1 || err != nil {
		t.Fatalf("Prune removed %d, %v; want the row without a key", n, err)
	}
	for id, payment := range map[string]string{"f1": "k1", "f3": "k3"} {
		all, err := j.ByKey(t.Context(), journal.Key{Merchant: "m", Operation: policy.Pay, Payment: payment})
		if err != nil || len(all) != 1 || all[0].ID != id {
			t.Errorf("of key %s is left %v, %v", payment, all, err)
		}
	}
}

// Each query finds its rows by an index, in the order of the index.
func TestQueriesUseTheirIndex(t *testing.T) {
	j := opened(t, newPath(t), nil)
	for query, index := range map[string]string{
		`SELECT n FROM flow f WHERE f.due IS NOT NULL AND f.due <= ? AND (f.due, f.id) > (?, ?) ORDER BY f.due, f.id LIMIT ?`: "flow_due",
		`SELECT id FROM flow WHERE payment = ? AND merchant = ? AND operation = ? AND open = 1 AND payment <> ''`:             "flow_open",
		`SELECT n FROM flow f WHERE f.payment = ? AND f.merchant = ? AND f.operation = ? ORDER BY f.n`:                        "flow_key",
		`SELECT n, id FROM flow WHERE due IS NULL AND pruned = 0 AND at < ? LIMIT 1`:                                          "flow_done",
		namedQuery(3): "PRIMARY KEY",
		listQuery("f.standing = ? AND f.since <= 9 AND f.since < ? AND f.merchant = ? AND (f.since, f.id) > (?, ?)"): "flow_standing",
		countQuery("f.standing = ? AND f.since <= 9 AND f.since < ? AND f.provider = ?"):                             "COVERING INDEX flow_standing",
		nextStanding: "COVERING INDEX flow_standing",
	} {
		rows, err := j.reads.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan += detail + "\n"
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, index) || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE FOR ORDER") {
			t.Errorf("%s:\n%s", query, plan)
		}
	}
}
