package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/journal"
)

// openRefused says that Open refuses a database, for a reason.
func openRefused(t *testing.T, url string, o Options, words ...string) {
	t.Helper()
	o.Lease = 200 * time.Millisecond
	j, err := Open(context.Background(), url, &o)
	if err == nil {
		_ = j.Close()
		t.Fatalf("%+v was opened", o)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
}

// openedAt opens a journal that must be opened.
func openedAt(t *testing.T, url string, o Options) *Journal {
	t.Helper()
	o.OnError = func(err error) { t.Logf("OnError: %v", err) }
	j, err := Open(context.Background(), url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // if the test has failed before
	return j
}

// database is the URL of another database of the server.
func database(name string) string {
	return strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1)
}

// sql runs statements, each in a transaction of its own.
func sql(t *testing.T, url string, texts ...string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, text := range texts {
		if _, err := c.Exec(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// isLostTo says that a process cannot go on, and why.
func isLostTo(t *testing.T, j *Journal, why string) {
	t.Helper()
	err := j.Put(within(t, 20*time.Second), row("after"), journal.Synced)
	if !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), why) {
		t.Fatalf("Put returned %v; want that %q", err, why)
	}
	if err := j.Close(); !errors.Is(err, journal.ErrLost) {
		t.Errorf("Close returned %v", err)
	}
}

// A copied database, and a dump that was restored, are refused until a person opens them as the journal.
func TestCopiesAreRefused(t *testing.T) {
	ctx := context.Background()
	sql(t, server.URL(), "CREATE DATABASE first")
	j := openedAt(t, database("first"), Options{Migrate: true})
	put(t, j, row("old"))
	mark, err := j.Mark(ctx)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	sql(t, server.URL(), "CREATE DATABASE copied TEMPLATE first", "CREATE DATABASE dumped")
	for _, args := range [][]string{{"pg_dump", "-f", "first.sql", database("first")}, {"psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "first.sql", database("dumped")}} {
		if err := server.Run(args[0], args[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, openedAt(t, database("first"), Options{Mark: mark})) // the journal itself
	for _, name := range []string{"copied", "dumped"} {
		url := database(name)
		openRefused(t, url, Options{}, "is a copy", "providers' records", "Options.Restored")
		openRefused(t, url, Options{Mark: mark, Migrate: true}, "is a copy")
		look := openedAt(t, url, Options{ReadOnly: true, Mark: mark})
		if r, err := look.Get(ctx, "old"); err != nil || r.Version != 1 {
			t.Errorf("%s: Get: %v", name, err)
		}
		closed(t, look)
		openRefused(t, url, Options{}, "is a copy") // looking has admitted nothing
		closed(t, openedAt(t, url, Options{Restored: true}))
		again := openedAt(t, url, Options{})
		put(t, again, next(row("old")))
		closed(t, again)
		openRefused(t, url, Options{Mark: mark}, "another journal", mark)
	}
	// A dump that is restored where the journal was.
	sql(t, database("first"), "DROP SCHEMA recourse CASCADE")
	if err := server.Run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "first.sql", database("first")); err != nil {
		t.Fatal(err)
	}
	openRefused(t, database("first"), Options{}, "is a copy")
}

// A process that finds its commits gone stops the others: the keys in those commits are free for all of them.
func TestOneLossStopsAllProcesses(t *testing.T) {
	for what, lose := range map[string]string{
		"groups of rows":               "UPDATE %s.owner SET written = written - 1 WHERE token = '%s'",
		"does not know this process":   "DELETE FROM %s.owner WHERE token = '%s'",
		"restored, and opened with Op": "",
	} {
		a := opened(t, Options{Lease: time.Hour})
		b := opened(t, Options{Lease: time.Hour, Schema: a.opts.Schema})
		put(t, a, row("1"))
		put(t, b, row("2"))
		if lose == "" {
			closed(t, openedAt(t, server.URL(), Options{Schema: a.opts.Schema, Restored: true}))
			isLostTo(t, a, what)
			isLostTo(t, b, what)
		} else {
			sql(t, server.URL(), fmt.Sprintf(lose, a.opts.Schema, a.token))
			isLostTo(t, a, what)
			isLostTo(t, b, "the database has lost commits")
			openRefused(t, server.URL(), Options{Schema: a.opts.Schema}, "has lost commits", "Options.Restored")
			closed(t, openedAt(t, server.URL(), Options{Schema: a.opts.Schema, Restored: true}))
		}
		c := openedAt(t, server.URL(), Options{Schema: a.opts.Schema})
		put(t, c, row("3"))
		closed(t, c)
	}
}

// A process whose row was deleted for its age has not lost anything: the others go on.
func TestAForgottenProcessStopsItselfOnly(t *testing.T) {
	a := opened(t, Options{Lease: time.Hour})
	b := opened(t, Options{Lease: time.Hour, Schema: a.opts.Schema})
	put(t, a, row("1"))
	a.last = a.last.Add(-forgotten)
	sql(t, server.URL(), fmt.Sprintf("DELETE FROM %s.owner WHERE token = '%s'", a.opts.Schema, a.token))
	isLostTo(t, a, "does not know this process")
	put(t, b, row("2"))
	closed(t, b)
}

// Options that deny each other, and a mark that no journal has.
func TestMarks(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{})
	defer closed(t, j)
	s := j.opts.Schema
	openRefused(t, server.URL(), Options{Schema: s, Restored: true, Mark: "m"}, "Options.Restored")
	openRefused(t, server.URL(), Options{Schema: s, Restored: true, ReadOnly: true}, "Options.Restored")
	for _, readOnly := range []bool{false, true} {
		openRefused(t, server.URL(), Options{Schema: s, Mark: "' OR true --", ReadOnly: readOnly}, "Options.Mark", "gone back")
	}
	before, err := j.Mark(ctx)
	after, err2 := j.Mark(ctx)
	if err = errors.Join(err, err2); err != nil || before == after || len(after) < 20 {
		t.Fatalf("the marks are %q and %q, %v", before, after, err)
	}
	sql(t, server.URL(), fmt.Sprintf("DELETE FROM %s.mark WHERE mark = '%s'", s, after)) // as a snapshot of before has it
	openRefused(t, server.URL(), Options{Schema: s, Mark: after}, after)
	closed(t, openedAt(t, server.URL(), Options{Schema: s, Mark: before}))
	look := openedAt(t, server.URL(), Options{Schema: s, ReadOnly: true})
	defer closed(t, look)
	if _, err := look.Mark(ctx); !errors.Is(err, errReadOnly) {
		t.Errorf("Mark of a journal that is read only: %v", err)
	}
}

// A server that keeps its place from the role: the journal works, and says that it cannot notice a copy.
func TestAServerThatDoesNotSayWhereItIs(t *testing.T) {
	sql(t, server.URL(), "CREATE DATABASE mute", "CREATE ROLE mute LOGIN", "ALTER DATABASE mute OWNER TO mute")
	sql(t, database("mute"), "REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn) FROM PUBLIC")
	var said []string
	o := &Options{Migrate: true, OnError: func(err error) { said = append(said, err.Error()) }}
	j, err := Open(context.Background(), strings.Replace(database("mute"), "postgres@", "mute@", 1), o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, j, row("1"), next(row("1")))
	closed(t, j)
	if len(said) != 1 || !strings.Contains(said[0], "system identifier nor its timeline") || !strings.Contains(said[0], "Journal.Mark") {
		t.Errorf("OnError: %q", said)
	}
	closed(t, openedAt(t, database("mute"), Options{})) // a role that may ask fills in the rest
	sql(t, database("mute"), "UPDATE recourse.journal SET system = '1'")
	openRefused(t, database("mute"), Options{}, "is a copy")
}

// own starts a server that the test may stop. It keeps the log that its copies replay.
func own(t *testing.T) *pgserver.Server {
	t.Helper()
	s, err := pgserver.Start("wal_keep_size = 256MB")
	return stopped(t, s, err)
}

// stopped stops a server at the end of the test.
func stopped(t *testing.T, s *pgserver.Server, err error) *pgserver.Server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // it may be down
	return s
}

// writes waits until a server has ended its recovery.
func writes(t *testing.T, s *pgserver.Server) {
	t.Helper()
	ctx := within(t, time.Minute)
	c, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	waitFor(t, "the end of the recovery", func() bool {
		var recovers bool
		return c.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovers) == nil && !recovers
	})
}

func up(t *testing.T, s *pgserver.Server) {
	t.Helper()
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
}

// The database is restored to an earlier time. The keys that were paid since are free in it: no process pays from
// it, neither one that runs nor one that starts. A backup without a recovery has the same timeline: a
// process that runs notices, and one that starts needs a mark.
func TestRestoredToAnEarlierTime(t *testing.T) {
	first := own(t)
	ways := map[string]*proxy{"recovery": newProxy(t, first.Address()), "": newProxy(t, first.Address())}
	running := map[string]*Journal{}
	for signal, p := range ways {
		running[signal] = openedAt(t, p.url(), Options{Migrate: true, Lease: time.Hour})
	}
	put(t, running[""], row("old"))
	put(t, running["recovery"], row("1"))
	backup, err := first.Copy("")
	backup = stopped(t, backup, err)
	recovered, err := first.Copy("recovery", "recovery_target_name = 'earlier'", "recovery_target_action = promote")
	recovered = stopped(t, recovered, err)
	put(t, running[""], row("2"))
	sql(t, first.URL(), "SELECT pg_create_restore_point('earlier')")
	put(t, running["recovery"], row("paid"))
	put(t, running[""], row("paid too"))
	mark, err := running[""].Mark(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sql(t, first.URL(), "SELECT pg_switch_wal()")
	if err := first.Down("immediate"); err != nil {
		t.Fatal(err)
	}
	for signal, s := range map[string]*pgserver.Server{"recovery": recovered, "": backup} {
		up(t, s)
		writes(t, s)
		openRefused(t, s.URL(), Options{Mark: mark}, "gone back")
		if signal != "" {
			openRefused(t, s.URL(), Options{}, "restored to an earlier time", "00000002", "00000001", "Options.Restored")
		}
		ways[signal].server.Store(s.Address())
		isLostTo(t, running[signal], "the database says 1")
		openRefused(t, s.URL(), Options{}, "has lost commits")
		j := openedAt(t, s.URL(), Options{Restored: true})
		if _, err := j.Get(context.Background(), "paid"); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("the test shows nothing: %v", err)
		}
		put(t, j, row("new"))
		closed(t, j)
		closed(t, openedAt(t, s.URL(), Options{}))
	}
}

// A standby is promoted. The one that every commit waited for has lost nothing: processes that were connected go on,
// say so, and others may start. One that had fallen behind has lost commits, and no process goes on.
func TestPromotedStandbys(t *testing.T) {
	first := own(t)
	keeps, behind := newProxy(t, first.Address()), newProxy(t, first.Address())
	goesOn := openedAt(t, keeps.url(), Options{Migrate: true, Lease: 300 * time.Millisecond})
	stops := openedAt(t, behind.url(), Options{Lease: time.Hour})
	put(t, stops, row("1"))
	synced, err := first.Copy("standby")
	synced = stopped(t, synced, err)
	late, err := first.Copy("standby")
	late = stopped(t, late, err) // it follows only after the first one is gone
	up(t, synced)
	noCommitWithoutStandby(t, first.URL())
	standbys(t, first.URL(), "*")
	put(t, goesOn, row("2"))
	put(t, stops, row("3"))
	put(t, goesOn, row("4"))
	if err := first.Down("immediate"); err != nil {
		t.Fatal(err)
	}
	up(t, late)
	for _, s := range []*pgserver.Server{synced, late} {
		if err := s.Promote(); err != nil {
			t.Fatal(err)
		}
		writes(t, s)
	}
	openRefused(t, synced.URL(), Options{}, "standby that was promoted", "no process that was connected")
	keeps.server.Store(synced.Address())
	put(t, goesOn, next(row("4")), next(row("2")))
	if r, err := goesOn.Get(context.Background(), "3"); err != nil || r.Version != 1 {
		t.Errorf("a synced row of another process is gone: %v", err)
	}
	closed(t, openedAt(t, synced.URL(), Options{}))
	closed(t, goesOn)

	openRefused(t, late.URL(), Options{}, "standby that was promoted")
	behind.server.Store(late.Address())
	isLostTo(t, stops, "the database says 1")
	openRefused(t, late.URL(), Options{}, "has lost commits")
}
