package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// row is the first row of an open flow.
func row(id string) *journal.Row {
	return &journal.Row{
		ID: id, Version: 1, Key: journal.Key{Merchant: "acme", Operation: policy.Pay, Payment: "cart-" + id}, Provider: "momo",
		Names: []string{"order-" + id}, Open: true, Due: epoch, At: epoch, Since: epoch, State: []byte("state of " + id), Standing: "open",
	}
}

func next(r *journal.Row) *journal.Row {
	after := *r
	after.Version++
	return &after
}

func put(t *testing.T, j *Journal, rows ...*journal.Row) {
	t.Helper()
	for _, r := range rows {
		if err := j.Put(within(t, time.Minute), r, journal.Synced); err != nil {
			t.Fatalf("Put of %s version %d: %v", r.ID, r.Version, err)
		}
	}
}

func claimed(t *testing.T, j *Journal) (ids []string) {
	t.Helper()
	rows, err := j.Claim(context.Background(), epoch.Add(time.Hour), journal.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func closed(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// frozen ends the lease of a journal's process and keeps it ended, as if the process were paused.
func frozen(t *testing.T, j *Journal) {
	t.Helper()
	if _, err := j.pool.Exec(context.Background(), "UPDATE "+j.opts.Schema+".owner SET until = now() - interval '1 s' WHERE token = $1", j.token); err != nil {
		t.Fatal(err)
	}
}

func TestAFlowHasOneOwner(t *testing.T) {
	a := opened(t, Options{Lease: time.Hour})
	defer closed(t, a)
	b := opened(t, Options{Lease: time.Hour, Schema: a.opts.Schema})
	defer closed(t, b)
	put(t, a, row("1"), row("2"))
	if got := claimed(t, b); got != nil {
		t.Fatalf("flows of a living process were claimed: %q", got)
	}
	if err := b.Put(context.Background(), next(row("1")), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a write of a process that does not hold the flow returned %v", err)
	}
	if _, held, err := b.Take(context.Background(), "1"); !held || err != nil {
		t.Fatalf("Take of a flow that another process holds: held %t, %v", held, err)
	}
	frozen(t, a)
	if got := claimed(t, b); !slices.Equal(got, []string{"1", "2"}) {
		t.Fatalf("of a process whose lease has ended %q were claimed", got)
	}
	// The first one wakes. No row has another version, and yet its write is refused.
	if err := a.Put(context.Background(), next(row("1")), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a write after the flow was taken over returned %v", err)
	}
	put(t, b, next(row("1")))
	var fence int64
	if err := a.pool.QueryRow(context.Background(), "SELECT fence FROM "+a.opts.Schema+".flow WHERE id = '1'").Scan(&fence); err != nil || fence != 2 {
		t.Errorf("the flow was taken over once, and its fence is %d, %v", fence, err)
	}
}

func TestCloseGivesFlowsUp(t *testing.T) {
	a := opened(t, Options{Lease: time.Hour})
	b := opened(t, Options{Lease: time.Hour, Schema: a.opts.Schema})
	defer closed(t, b)
	put(t, a, row("1"), row("2"))
	if err := a.GiveUp(context.Background(), "2"); err != nil {
		t.Fatal(err)
	}
	if got := claimed(t, b); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("claimed %q", got)
	}
	closed(t, a)
	if r, held, err := b.Take(context.Background(), "1"); held || err != nil || r.Version != 1 {
		t.Fatalf("Take of a flow whose process has closed its journal: held %t, %v", held, err)
	}
	put(t, b, next(row("1")))
}

// What this process holds and may have forgotten is looked for once in a lease, and not written: a process that has more to do
// than it can would be given all of it in every sweep.
func TestOwnRowsAreNotClaimedAgain(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	put(t, j, row("1"), row("2"), row("3")) // overdue by more than a lease
	if _, err := j.pool.Exec(ctx, "UPDATE "+j.opts.Schema+".flow SET owner = NULL WHERE id = '3'"); err != nil {
		t.Fatal(err)
	}
	written := func() (at string) {
		if err := j.pool.QueryRow(ctx, "SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM "+j.opts.Schema+".flow WHERE id < '3'").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	before := written()
	page, err := j.Claim(ctx, time.Now(), journal.Cursor{}, 2)
	if err != nil || len(page) != 2 {
		t.Fatalf("%d rows on the first page, %v", len(page), err)
	}
	rest, err := j.Claim(ctx, time.Now(), journal.Cursor{Due: page[1].Due, ID: page[1].ID}, 2) // of the same sweep
	if err != nil || len(rest) != 1 || rest[0].ID != "3" {
		t.Fatalf("%v on the second page, %v", rest, err)
	}
	for range 3 {
		if got := claimed(t, j); got != nil {
			t.Fatalf("claimed again at once: %q", got)
		}
	}
	if written() != before {
		t.Error("rows of this process were written")
	}
	j.mu.Lock()
	j.searched = j.searched.Add(-j.opts.Lease)
	j.mu.Unlock()
	if got := claimed(t, j); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("after a lease %q were claimed", got)
	}
}

// Two processes claim at once: each flow goes to one.
func TestClaimsDoNotMeet(t *testing.T) {
	first := opened(t, Options{})
	for i := range 300 {
		r := row(fmt.Sprintf("%03d", i))
		r.Due = time.Now().Add(time.Minute) // a process is given its own again when they are overdue
		put(t, first, r)
	}
	closed(t, first)
	got := make(chan []string)
	for range 3 {
		j := opened(t, Options{Schema: first.opts.Schema, Lease: time.Hour})
		defer closed(t, j)
		go func() {
			var all []string
			for range 20 {
				rows, err := j.Claim(context.Background(), time.Now().Add(time.Hour), journal.Cursor{}, 20)
				if err != nil {
					t.Error(err)
				}
				for _, r := range rows {
					all = append(all, r.ID)
				}
			}
			got <- all
		}()
	}
	all := slices.Concat(<-got, <-got, <-got)
	slices.Sort(all)
	if len(all) != 300 || len(slices.Compact(all)) != 300 {
		t.Fatalf("%d flows were claimed, %d of them once", len(all), len(slices.Compact(all)))
	}
}

// A COMMIT without an answer is neither stored nor lost: the journal finds out before Put returns.
func TestCommitWithoutAnAnswer(t *testing.T) {
	p := newProxy(t, server.Address())
	schema := newSchema()
	closed(t, opened(t, Options{Schema: schema}))
	j, err := Open(context.Background(), p.url(), &Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, j)
	for i, at := range []cutting{beforeCommit, afterCommit, duringCommit, beforeCommit, afterCommit, duringCommit} {
		r := row(fmt.Sprint(i))
		p.next.Store(int32(at))
		put(t, j, r)
		if got, err := j.Get(context.Background(), r.ID); err != nil || got.Version != 1 {
			t.Fatalf("cut %d: the row that was put is at version %d, %v", at, got.Version, err)
		}
		p.next.Store(int32(at))
		lazy := next(r)
		if err := j.Put(context.Background(), lazy, journal.Lazy); err != nil {
			t.Fatal(err)
		}
		put(t, j, next(lazy))
	}
	if n := p.cuts.Load(); n != 12 {
		t.Errorf("%d COMMITs were cut, want 12", n)
	}
}

// A database that has lost commits which it had acknowledged is not written to any more.
func TestLostCommitsAreNoticed(t *testing.T) {
	j := opened(t, Options{})
	put(t, j, row("1"), row("2"))
	if _, err := j.pool.Exec(context.Background(), "UPDATE "+j.opts.Schema+".owner SET written = written - 1"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := j.Put(context.Background(), row("3"), journal.Synced)
		if !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), "has committed 2 groups of rows, and the database says 1") {
			t.Fatalf("Put returned %v", err)
		}
	}
	if _, err := j.Get(context.Background(), "1"); !errors.Is(err, journal.ErrLost) {
		t.Fatalf("Get returned %v", err)
	}
	if err := j.Close(); !errors.Is(err, journal.ErrLost) {
		t.Fatalf("Close returned %v", err)
	}
}

func TestPutTx(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	shop, err := pgx.Connect(ctx, server.URL()) // in the mode that caches prepared statements
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close(ctx)
	if _, err := shop.Exec(ctx, "CREATE TABLE IF NOT EXISTS shop_order (id text)"); err != nil {
		t.Fatal(err)
	}
	begin := func() pgx.Tx {
		tx, err := shop.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO shop_order VALUES ($1)", "o"); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	tx := begin()
	if err := j.PutTx(ctx, tx, row("1")); err != nil {
		t.Fatal(err)
	}
	tx.Rollback(ctx)
	if _, err := j.Get(ctx, "1"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("after the rollback Get returned %v", err)
	}
	tx = begin()
	if err := j.PutTx(ctx, tx, row("1")); err != nil {
		t.Fatal(err)
	}
	again := row("2")
	again.Key = row("1").Key
	var open *journal.OpenError
	if err := j.PutTx(ctx, tx, again); !errors.As(err, &open) || open.ID != "1" {
		t.Fatalf("a second open flow of the key: %v", err)
	}
	if err := j.PutTx(ctx, tx, row("1")); err == nil {
		t.Fatal("the same flow was stored twice")
	}
	if err := j.PutTx(ctx, tx, next(row("3"))); err == nil {
		t.Fatal("a second row was stored")
	}
	if err := tx.Commit(ctx); err != nil { // the refusals have not ended it
		t.Fatal(err)
	}
	rows, err := j.Named(ctx, "momo", "order-1")
	if err != nil || len(rows) != 1 {
		t.Fatalf("Named found %d rows, %v", len(rows), err)
	}
	if got := claimed(t, j); !slices.Equal(got, []string{"1"}) {
		t.Fatalf("claimed %q", got)
	}
	put(t, j, next(row("1")))
}

// What is left for a flow goes to its owner, and to whoever takes the flow over.
func TestMessagesFollowTheFlow(t *testing.T) {
	ctx := context.Background()
	a := opened(t, Options{Lease: time.Hour})
	defer closed(t, a)
	b := opened(t, Options{Lease: time.Hour, Schema: a.opts.Schema})
	defer closed(t, b)
	put(t, a, row("1"))
	leave := func(text string) {
		if err := b.Leave(ctx, "1", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	collect := func(j *Journal, fail error) (got string) {
		if _, err := j.Collect(ctx, func(id string, m []byte) error { got += id + ":" + string(m) + " "; return fail }); !errors.Is(err, fail) {
			t.Fatalf("Collect returned %v", err)
		}
		return got
	}
	leave("x")
	leave("y")
	if got := collect(b, nil); got != "" {
		t.Fatalf("%q went to a process that does not hold the flow", got)
	}
	if got := collect(a, nil); got != "1:x 1:y " {
		t.Fatalf("its owner got %q", got)
	}
	if got := collect(a, nil); got != "" {
		t.Fatalf("its owner got %q again", got)
	}
	leave("z")
	if got := collect(a, errors.New("not now")); got != "1:z " {
		t.Fatalf("its owner got %q", got)
	}
	frozen(t, a)
	if _, err := b.pool.Exec(ctx, "UPDATE "+a.opts.Schema+".message SET after = now()"); err != nil {
		t.Fatal(err)
	}
	if got := collect(b, nil); got != "1:z " {
		t.Fatalf("of a flow without an owner %q was collected", got)
	}
}

// The rights that the documentation names are enough, and the role cannot change the tables.
func TestLeastRights(t *testing.T) {
	ctx := context.Background()
	admin := opened(t, Options{})
	s := admin.opts.Schema
	for _, text := range []string{
		"CREATE ROLE " + s + "_shop LOGIN", "GRANT USAGE ON SCHEMA " + s + " TO " + s + "_shop", "GRANT SELECT ON " + s + ".version TO " + s + "_shop",
		fmt.Sprintf("GRANT SELECT, UPDATE ON %[1]s.journal TO %[1]s_shop", s), fmt.Sprintf("GRANT SELECT, INSERT, DELETE ON %[1]s.mark TO %[1]s_shop", s),
		fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE ON %[1]s.owner, %[1]s.flow, %[1]s.name, %[1]s.message TO %[1]s_shop", s),
	} {
		if _, err := admin.pool.Exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, admin)
	url := strings.Replace(server.URL(), "postgres@", s+"_shop@", 1)
	j, err := Open(ctx, url, &Options{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, j)
	put(t, j, row("1"), next(row("1")))
	ended := next(next(row("1")))
	ended.Open, ended.Due = false, time.Time{}
	put(t, j, ended)
	claimed(t, j)
	if err := errors.Join(j.Leave(ctx, "1", []byte{}), j.GiveUp(ctx, "1")); err != nil {
		t.Error(err)
	}
	if _, err := j.Mark(ctx); err != nil {
		t.Error(err)
	}
	if n, err := j.Prune(ctx, epoch.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Prune: %d, %v", n, err)
	}
	var refused *pgconn.PgError
	if _, err := j.pool.Exec(ctx, "ALTER TABLE "+s+".flow ADD COLUMN x int"); !errors.As(err, &refused) || refused.Code != "42501" {
		t.Errorf("the role could change a table: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	refused := func(o Options, words ...string) {
		t.Helper()
		j, err := Open(ctx, server.URL(), &o)
		if err == nil {
			j.Close()
			t.Fatalf("%+v was opened", o)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v does not say %q", err, w)
			}
		}
	}
	refused(Options{Schema: "no_such_schema"}, "no journal in schema no_such_schema", "Options.Migrate")
	refused(Options{Schema: `x"; DROP TABLE`, Lease: time.Millisecond, Connections: 1, Hold: -1}, "Options.Schema", "Options.Lease", "Options.Connections", "Options.Hold")
	j := opened(t, Options{})
	defer closed(t, j)
	if _, err := j.pool.Exec(ctx, "UPDATE "+j.opts.Schema+".version SET version = 99"); err != nil {
		t.Fatal(err)
	}
	refused(Options{Schema: j.opts.Schema, Migrate: true}, "version 99", fmt.Sprintf("up to %d", len(steps)))
	if _, err := j.pool.Exec(ctx, "ALTER ROLE postgres SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	defer j.pool.Exec(ctx, "ALTER ROLE postgres RESET synchronous_commit")
	if _, err := j.pool.Exec(ctx, "UPDATE "+j.opts.Schema+".version SET version = "+fmt.Sprint(len(steps))); err != nil {
		t.Fatal(err)
	}
	refused(Options{Schema: j.opts.Schema}, "synchronous_commit is off")
}

// A journal that is read only holds no flow, and writes nothing.
func TestReadOnly(t *testing.T) {
	ctx := context.Background()
	j := opened(t, Options{})
	defer closed(t, j)
	put(t, j, row("1"))
	look, err := Open(ctx, server.URL(), &Options{Schema: j.opts.Schema, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := look.Get(ctx, "1"); err != nil || r.ID != "1" {
		t.Errorf("Get: %v, %v", r.ID, err)
	}
	_, claim := look.Claim(ctx, epoch, journal.Cursor{}, 1)
	_, _, take := look.Take(ctx, "1")
	_, prune := look.Prune(ctx, epoch)
	for what, err := range map[string]error{"Put": look.Put(ctx, next(row("1")), journal.Synced), "Claim": claim, "Take": take, "Prune": prune, "Leave": look.Leave(ctx, "1", nil)} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%s returned %v", what, err)
		}
	}
	closed(t, look)
}

func TestTextsThatPostgreSQLRefuses(t *testing.T) {
	j := opened(t, Options{})
	defer closed(t, j)
	for _, change := range []func(*journal.Row){
		func(r *journal.Row) { r.Key.Payment = "a\x00b" },
		func(r *journal.Row) { r.Key.Merchant = "\xff" },
		func(r *journal.Row) { r.ID = strings.Repeat("x", maxListed+1) },
	} {
		r := row("1")
		change(r)
		if err := j.Put(context.Background(), r, journal.Synced); err == nil || !strings.Contains(err.Error(), "postgres: Row.") {
			t.Errorf("Put returned %v", err)
		}
	}
	put(t, j, row("1")) // the others go on
}
