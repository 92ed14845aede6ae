package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

func execute(t *testing.T, j *Journal, text string) {
	t.Helper()
	if _, err := j.pool.Exec(context.Background(), strings.ReplaceAll(text, "{schema}", j.opts.Schema)); err != nil {
		t.Fatal(err)
	}
}

// noise is text that does not compress.
func noise(n int) string {
	from, text := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range text {
		text[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[from.IntN(62)]
	}
	return string(text)
}

// A row that PostgreSQL cannot store is refused, and the rows that come at the same time are stored.
func TestARowThatCannotBeStoredIsRefusedAlone(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{Hold: time.Hour})
	defer closed(t, j)
	execute(t, j, `CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.payment = 'unforeseen' THEN RAISE data_exception; END IF; RETURN NEW; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON {schema}.flow FOR EACH ROW EXECUTE FUNCTION {schema}.refuse()`)
	for n, c := range []struct {
		want   string // of the error; empty: it is stored
		change func(*journal.Row)
	}{
		{"together; at most", func(r *journal.Row) { r.Key.Merchant = noise(1 << 20) }},
		{"together; at most", func(r *journal.Row) { r.ID, r.Provider = noise(1500), noise(1300) }},
		{"together; at most", func(r *journal.Row) { r.Standing = noise(4000) }},
		{"", func(r *journal.Row) {
			r.ID, r.Key.Merchant, r.Provider, r.Standing = noise(700), noise(1000), noise(500), noise(400)
		}},
		{"Row.Due is in the year 400000", func(r *journal.Row) { r.Due = time.Date(400_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"Row.At is in the year -5000", func(r *journal.Row) { r.At = time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"", func(r *journal.Row) { r.At = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"", func(r *journal.Row) { r.Due = time.Date(lastYear, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"", func(r *journal.Row) { r.Since = time.Time{} }},
		{"", func(r *journal.Row) { r.Key.Payment = noise(1 << 20) }},
		{"", func(r *journal.Row) { r.Names = []string{"a\x00b\xff", noise(1 << 20)} }},
		{"22000", func(r *journal.Row) { r.Key.Payment = "unforeseen" }},
	} {
		bad := row(fmt.Sprint("bad", n))
		c.change(bad)
		beside := []string{fmt.Sprint(n, "a"), fmt.Sprint(n, "b")}
		for _, id := range beside { // they wait for its group
			if err := j.Put(ctx, row(id), journal.Lazy); err != nil {
				t.Fatal(err)
			}
		}
		err := j.Put(ctx, bad, journal.Synced)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("row %d: %v, want %q", n, err, c.want)
		}
		for _, id := range beside {
			if _, err := j.Get(ctx, id); err != nil {
				t.Errorf("a row beside row %d: %v", n, err)
			}
		}
		if err != nil {
			continue
		}
		got, err := j.Get(ctx, bad.ID)
		if err != nil || got.Key != bad.Key || !got.At.Equal(bad.At) || !got.Due.Equal(bad.Due) || !got.Since.Equal(bad.Since) || got.Standing != bad.Standing {
			t.Errorf("row %d was stored as something else, %v", n, err)
		}
	}
	// A lazy row that is lost in this way is a gap in its flow, as ever.
	lost := row("lost")
	put(t, j, lost)
	execute(t, j, `CREATE TRIGGER refuse_too BEFORE UPDATE ON {schema}.flow FOR EACH ROW WHEN (NEW.id = 'lost' AND NEW.version = 2) EXECUTE FUNCTION {schema}.refuse();
		CREATE OR REPLACE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE data_exception; END $$; DROP TRIGGER refuse ON {schema}.flow`)
	for _, err := range []error{j.Put(ctx, next(lost), journal.Lazy), j.Put(ctx, row("beside"), journal.Synced)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Put(ctx, next(next(lost)), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("the row after a lost one: %v", err)
	}
}

// A transaction of the shop's that stays open keeps its key from others, and nothing else: the process goes on with its
// other flows, and keeps its lease.
func TestAnOpenTransactionKeepsItsKeyOnly(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{})
	defer closed(t, j)
	put(t, j, row("mine"))
	other := opened(t, Options{Schema: j.opts.Schema})
	defer closed(t, other)
	shop, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close(ctx)
	tx, err := shop.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.PutTx(ctx, tx, row("1")); err != nil {
		t.Fatal(err)
	}
	again := row("2")
	again.Key = row("1").Key
	refused := make(chan error, 1)
	go func() { refused <- j.Put(ctx, again, journal.Synced) }()
	for began, i := time.Now(), 0; time.Since(began) < j.opts.Lease+200*time.Millisecond; i++ { // more than a lease
		put(t, j, row(fmt.Sprint("other", i)))
		if got := claimed(t, other); got != nil {
			t.Fatalf("flows of a living process were claimed: %q", got)
		}
	}
	select {
	case err := <-refused:
		if err == nil || !strings.Contains(err.Error(), "a transaction of another program that has not ended holds acme pay cart-1") {
			t.Errorf("a second flow of the key: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("the row waits for ever")
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the key is free", func() bool { return j.Put(ctx, again, journal.Synced) == nil })
}

// role makes a role that may do everything, and opens a journal as it.
func role(t *testing.T, admin *Journal, settings ...string) (name string, j *Journal) {
	t.Helper()
	name = newSchema()
	execute(t, admin, "CREATE ROLE "+name+" LOGIN SUPERUSER")
	for _, s := range settings {
		execute(t, admin, "ALTER ROLE "+name+" SET "+s)
	}
	j, err := Open(context.Background(), strings.Replace(server.URL(), "postgres@", name+"@", 1), &Options{Schema: name, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, j) })
	return name, j
}

// A flow that lost a lazy row is held by a person's transaction: other flows go on.
func TestAGapInAFlowThatIsHeld(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{Lease: time.Second})
	defer closed(t, j)
	put(t, j, row("held"), row("b"))
	shop, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close(ctx)
	tx, err := shop.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "SELECT FROM "+j.opts.Schema+".flow WHERE id = 'held' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if err := j.Put(ctx, next(row("held")), journal.Lazy); err != nil {
		t.Fatal(err)
	}
	b := row("b")
	for range 3 {
		b = next(b)
		put(t, j, b)
	}
	time.Sleep(500 * time.Millisecond) // beats come by
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	put(t, j, next(b))
	if err := j.Put(ctx, next(next(row("held"))), journal.Synced); err == nil {
		t.Error("a row followed one that was lost")
	}
}

// Settings of the role, or of a session that another program of the pool had before, change nothing.
func TestSettingsOfTheRole(t *testing.T) {
	admin := opened(t, Options{})
	defer closed(t, admin)
	for _, setting := range []string{
		"DateStyle = 'SQL, DMY'", "bytea_output = escape", "standard_conforming_strings = off", "array_nulls = off", "client_encoding = LATIN1", "default_transaction_isolation = serializable",
		"lock_timeout = 1", "search_path = ''", "TimeZone = 'Asia/Kathmandu'", "IntervalStyle = sql_standard", "session_replication_role = replica", "row_security = off",
		"quote_all_identifiers = on", "enable_indexscan = off", "plan_cache_mode = force_generic_plan", "transform_null_equals = on",
	}[:testkit.Size(5, 7, 16)] {
		t.Run(setting, func(t *testing.T) {
			name, j := role(t, admin, setting)
			lifeOfARow(t, j)
			var names int
			if err := admin.pool.QueryRow(context.Background(), "SELECT count(*) FROM "+name+".name").Scan(&names); err != nil || names != 0 {
				t.Errorf("%d names are left, %v", names, err)
			}
		})
	}
}

// lifeOfARow puts a row, finds it in every way, and prunes it.
func lifeOfARow(t *testing.T, j *Journal) {
	ctx := context.Background()
	r := row("Đơn hàng 1")
	r.Key.Merchant, r.Names, r.State = `người bán \'`, []string{"một\x00\xff\\", "b"}, []byte("\x00\xff\\x'\n")
	put(t, j, r)
	second := next(r)
	second.Names, second.Tombstone = []string{"c"}, []byte{0, '\\', 255}
	put(t, j, second)
	for what, find := range map[string]func() ([]journal.Row, error){
		"ByKey": func() ([]journal.Row, error) { return j.ByKey(ctx, r.Key) },
		"Named": func() ([]journal.Row, error) { return j.Named(ctx, "momo", "c") },
		"Due":   func() ([]journal.Row, error) { return j.Due(ctx, epoch, journal.Cursor{}, 10) },
		"Claim": func() ([]journal.Row, error) { return j.Claim(ctx, epoch, journal.Cursor{}, 10) },
		"Take":  func() ([]journal.Row, error) { r, _, err := j.Take(ctx, r.ID); return []journal.Row{r}, err },
	} {
		got, err := find()
		if err != nil || len(got) != 1 || got[0].Key != r.Key || string(got[0].State) != string(r.State) || !got[0].Due.Equal(epoch) ||
			!slices.Equal(got[0].Names, []string{"một\x00\xff\\", "b", "c"}) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	if list, err := j.List(ctx, journal.Filter{}, journal.Cursor{}, 10); err != nil || len(list) != 1 || !list[0].Since.Equal(epoch) {
		t.Errorf("List: %+v, %v", list, err)
	}
	if tally, err := j.Count(ctx, journal.Filter{}); err != nil || len(tally) != 1 || !tally[0].Oldest.Equal(epoch) {
		t.Errorf("Count: %+v, %v", tally, err)
	}
	if err := j.Leave(ctx, r.ID, []byte("\x00\\\xff")); err != nil {
		t.Error(err)
	}
	if _, err := j.Collect(ctx, func(id string, m []byte) error {
		if id != r.ID || string(m) != "\x00\\\xff" {
			t.Errorf("collected %q for %q", m, id)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	ended := next(second)
	ended.Open, ended.Due = false, time.Time{}
	put(t, j, ended)
	if n, err := j.Prune(ctx, epoch.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Prune: %d, %v", n, err)
	}
	if got, err := j.Get(ctx, r.ID); err != nil || string(got.State) != string(second.Tombstone) {
		t.Errorf("the tombstone is %q, %v", got.State, err)
	}
}

// A commit is flushed, whatever the role or another program of the pool has set meanwhile.
func TestCommitsAreFlushedWhateverTheSessionSays(t *testing.T) {
	ctx := context.Background()
	admin := opened(t, Options{})
	defer closed(t, admin)
	name, j := role(t, admin)
	execute(t, j, `CREATE TABLE {schema}.seen (value text);
		CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO {schema}.seen VALUES (current_setting('synchronous_commit') || ' ' || current_setting('statement_timeout')); RETURN NULL; END $$;
		CREATE TRIGGER see AFTER INSERT ON {schema}.flow FOR EACH ROW EXECUTE FUNCTION {schema}.see();
		CREATE TABLE {schema}.left (value text);
		CREATE FUNCTION {schema}.see_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO {schema}.left VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
		CREATE TRIGGER see AFTER INSERT ON {schema}.message FOR EACH ROW EXECUTE FUNCTION {schema}.see_left()`)
	execute(t, admin, "ALTER ROLE "+name+" SET synchronous_commit = off")
	execute(t, admin, "ALTER ROLE "+name+" SET statement_timeout = '7min'")
	j.pool.Reset()
	put(t, j, row("1"))
	var seen string
	if err := j.pool.QueryRow(ctx, "SELECT value FROM "+j.opts.Schema+".seen").Scan(&seen); err != nil || seen != "on 0" {
		t.Errorf("the row was written with synchronous_commit and statement_timeout %q, %v", seen, err)
	}
	if err := j.Leave(ctx, "1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := j.pool.QueryRow(ctx, "SELECT value FROM "+j.opts.Schema+".left").Scan(&seen); err != nil || seen != "on" {
		t.Errorf("the message was left with synchronous_commit %q, %v", seen, err)
	}
}

// A server that only reads may be a standby that lags: it is not asked whether a key is free. Writes wait for another.
func TestAServerThatOnlyReadsIsNoAnswer(t *testing.T) {
	admin := opened(t, Options{})
	defer closed(t, admin)
	name, j := role(t, admin)
	put(t, j, row("1"))
	execute(t, admin, "ALTER ROLE "+name+" SET default_transaction_read_only = on")
	if _, err := j.pool.Exec(context.Background(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+name+"' AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	j.pool.Reset()
	if rows, err := j.ByKey(within(t, 2*time.Second), journal.Key{Merchant: "acme", Payment: "none"}); err == nil {
		t.Errorf("a server that only reads was asked whether a key is free: %v", rows)
	}
	done := make(chan error, 1)
	go func() { done <- j.Put(context.Background(), next(row("1")), journal.Synced) }()
	select {
	case err := <-done:
		t.Errorf("Put returned %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	execute(t, admin, "ALTER ROLE "+name+" RESET default_transaction_read_only")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A database that cannot take each text is refused, with the others' faults.
func TestEncodings(t *testing.T) {
	admin := opened(t, Options{})
	defer closed(t, admin)
	for _, encoding := range []string{"LATIN1", "SQL_ASCII"}[:testkit.Size(1, 1, 2)] {
		t.Run(encoding, func(t *testing.T) {
			name := newSchema()
			execute(t, admin, "CREATE DATABASE "+name+" ENCODING '"+encoding+"' LOCALE 'C' TEMPLATE template0")
			j, err := Open(context.Background(), strings.Replace(server.URL(), "/postgres?", "/"+name+"?", 1), &Options{Migrate: true})
			if err == nil {
				closed(t, j)
			}
			if err == nil || !strings.Contains(err.Error(), "encoding is "+encoding) {
				t.Errorf("Open returned %v", err)
			}
		})
	}
}

func TestBytesInBothWays(t *testing.T) {
	for text, want := range map[string]string{`\x00ff`: "\x00\xff", `\x`: "", "": "", `a\\\000\377'`: "a\\\x00\xff'"} {
		var got []byte
		if err := (textBytes{}).Scan([]byte(text), &got); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`\`, `\4`, `\400`, `\12`, `\128`, `\xg0`} {
		if err := (textBytes{}).Scan([]byte(text), new([]byte)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// A process that only waits notices, too, that the database has lost commits: its beats are among them.
func TestAProcessWithoutWorkNoticesLostCommits(t *testing.T) {
	var reported atomic.Pointer[string]
	j := opened(t, Options{Lease: 100 * time.Millisecond, OnError: func(err error) { text := err.Error(); reported.Store(&text) }})
	defer j.Close()
	put(t, j, row("1"))
	execute(t, j, "CREATE TABLE {schema}.backup AS SELECT token, written, until FROM {schema}.owner")
	waitFor(t, "a beat", func() bool {
		var beaten bool
		err := j.pool.QueryRow(context.Background(), "SELECT o.until > b.until FROM "+j.opts.Schema+".owner o JOIN "+j.opts.Schema+".backup b USING (token)").Scan(&beaten)
		return err == nil && beaten
	})
	execute(t, j, "UPDATE {schema}.owner o SET written = b.written, until = b.until FROM {schema}.backup b WHERE o.token = b.token")
	waitFor(t, "it is noticed", func() bool { _, err := j.Get(context.Background(), "1"); return errors.Is(err, journal.ErrLost) })
	waitFor(t, "it is reported", func() bool {
		text := reported.Load()
		return text != nil && strings.Contains(*text, "it has lost commits")
	})
}

// A process that does nothing keeps its lease.
func TestAProcessWithoutWorkKeepsItsLease(t *testing.T) {
	j := opened(t, Options{Lease: 3 * time.Second})
	defer closed(t, j)
	until := func() (at time.Time) {
		if err := j.pool.QueryRow(context.Background(), "SELECT until FROM "+j.opts.Schema+".owner").Scan(&at); err != nil {
			t.Error(err)
		}
		return at
	}
	for first, n := until(), 0; n < 2; n++ {
		waitFor(t, "it is prolonged", func() bool { return until().After(first) })
		first = until()
	}
}

// standbys names those that each commit waits for.
func standbys(t *testing.T, url, names string) {
	t.Helper()
	sql(t, url, "ALTER SYSTEM SET synchronous_standby_names = '"+names+"'", "SELECT pg_reload_conf()")
}

// noCommitWithoutStandby returns when commits of the server wait for a standby that does not exist. A process of the server reads its
// settings when it comes to it, so each is tried out until one waits; the tables are no part of it.
func noCommitWithoutStandby(t *testing.T, url string) {
	t.Helper()
	standbys(t, url, "nobody")
	probe, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for err == nil {
			_, err = probe.Exec(context.Background(), "SELECT pg_logical_emit_message(true, 'probe', '')")
		}
	}()
	waitFor(t, "a commit waits for the standby", func() bool {
		look, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer look.Close(context.Background())
		var ended bool
		const end = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = $1"
		if err := look.QueryRow(context.Background(), end, probe.PgConn().PID()).Scan(&ended); err != nil {
			t.Fatal(err)
		}
		return ended
	})
	<-ended
	_ = probe.Close(context.Background())
}

// The wait of a COMMIT for a standby is broken off by a person, and then by the end of its session: the server has committed,
// and a failover may lose it. Put does not return before the standby has it.
func TestACommitThatDidNotWaitForTheStandby(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	put(t, j, row("1"))
	look, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close(ctx)
	defer standbys(t, server.URL(), "")
	noCommitWithoutStandby(t, server.URL())
	done := make(chan error, 1)
	go func() { done <- j.Put(ctx, next(row("1")), journal.Synced) }()
	waiting := func() (transactions []string) {
		rows, err := look.Query(ctx, "SELECT backend_xid::text FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_xid IS NOT NULL")
		if err != nil {
			t.Fatal(err)
		}
		transactions, err = pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return transactions
	}
	last := ""
	for _, end := range []string{"pg_cancel_backend", "pg_terminate_backend", "pg_cancel_backend"} {
		waitFor(t, "it waits for the standby", func() bool {
			now := waiting()
			if len(now) != 1 || now[0] == last {
				select {
				case err := <-done:
					t.Fatalf("Put returned %v, and no standby has it", err)
				default:
				}
				return false
			}
			last = now[0]
			return true
		})
		if _, err := look.Exec(ctx, "SELECT "+end+"(pid) FROM pg_stat_activity WHERE backend_xid::text = $1", last); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "it waits again", func() bool { now := waiting(); return len(now) == 1 && now[0] != last })
	standbys(t, server.URL(), "")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got, err := j.Get(ctx, "1"); err != nil || got.Version != 2 {
		t.Errorf("version %d, %v", got.Version, err)
	}
}
