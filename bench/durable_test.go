package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
)

// twoStep is a provider that takes a payment on, and says when it is asked that it was paid.
type twoStep struct{ sends, queries atomic.Int64 }

// Send implements [executor.Client].
func (p *twoStep) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.sends.Add(1)
	return said("7000", a), nil
}

// Query implements [executor.Client].
func (p *twoStep) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.queries.Add(1)
	return said("0", a), nil
}

func said(code string, a *executor.Attempt) executor.Reply {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: code, OrderID: a.OrderID}}
}

// durable carries payments of two steps through a journal on disk.
type durable struct {
	provider twoStep
	journal  *sqlite.Journal
	x        *executor.Executor
}

func newDurable(tb testing.TB) *durable {
	tb.Helper()
	j, err := sqlite.Open(filepath.Join(tb.TempDir(), "journal"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &durable{journal: j, x: newExecutor(tb, executor.Config{Journal: j})}
}

func (d *durable) pay(n int64) error {
	r, err := d.x.Do(context.Background(), executor.Request{OrderID: fmt.Sprint("o-", n), Payment: policy.Payment{
		Provider: "momo", Merchant: "bench", Operation: policy.Pay, Key: fmt.Sprint("k-", n), Amount: 120_000, Currency: "VND",
	}}, &d.provider)
	if err == nil && r.Outcome != policy.Succeeded {
		err = fmt.Errorf("payment %d %s: %s", n, r.Outcome, r.Reason)
	}
	return err
}

// row returns what the journal holds of a payment.
func (d *durable) row(tb testing.TB, n int64) journal.Row {
	tb.Helper()
	k := journal.Key{Merchant: "bench", Operation: policy.Pay, Payment: fmt.Sprint("k-", n)}
	rows, err := d.journal.ByKey(context.Background(), k)
	if err != nil || len(rows) != 1 {
		tb.Fatalf("payment %d has %d rows, %v", n, len(rows), err)
	}
	return rows[0]
}

// each does n pieces of work, so many at once.
func each(tb testing.TB, n, atOnce int, work func(i int64) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := work(i); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func perSecond(b *testing.B) {
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flows/s")
}

// BenchmarkDurable is payments of two steps (sent, pending, asked, paid), written ahead in a
// journal with synced commits: before the send, and at the end. Below them stands the floor:
// what SQLite needs through database/sql to insert the last of such a flow's states, once a
// flow, into a table without an index, each in a commit of its own or fifty in one.
func BenchmarkDurable(b *testing.B) {
	for _, atOnce := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("Recourse, %d at once", atOnce), func(b *testing.B) {
			d := newDurable(b)
			b.ReportAllocs()
			b.ResetTimer()
			each(b, b.N, atOnce, d.pay)
			perSecond(b)
		})
	}
	d := newDurable(b)
	if err := d.pay(1); err != nil {
		b.Fatal(err)
	}
	state := d.row(b, 1).State
	for _, group := range []int{1, 50} {
		b.Run(fmt.Sprintf("floor, %d a commit", group), func(b *testing.B) {
			f := newFloor(b)
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += group {
				if err := f.insert(min(group, b.N-done), state); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
	}
}

// floor is a table in SQLite.
type floor struct {
	db  *sql.DB
	add *sql.Stmt
}

func newFloor(tb testing.TB) *floor {
	tb.Helper()
	path := filepath.ToSlash(filepath.Join(tb.TempDir(), "floor"))
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { db.Close() })
	if _, err := db.Exec("CREATE TABLE t (n INTEGER PRIMARY KEY, state BLOB)"); err != nil {
		tb.Fatal(err)
	}
	add, err := db.Prepare("INSERT INTO t (state) VALUES (?)")
	if err != nil {
		tb.Fatal(err)
	}
	return &floor{db, add}
}

// insert commits so many rows at once.
func (f *floor) insert(rows int, state []byte) error {
	tx, err := f.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	add := tx.Stmt(f.add)
	for range rows {
		if _, err := add.Exec(state); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func TestDurable(t *testing.T) {
	const payments = 100
	d := newDurable(t)
	each(t, payments, 50, d.pay)
	if s, q := d.provider.sends.Load(), d.provider.queries.Load(); s != payments || q != payments {
		t.Errorf("%d sends and %d queries for %d payments", s, q, payments)
	}
	for n := int64(1); n <= payments; n++ {
		if r := d.row(t, n); r.Open || r.Version < 3 {
			t.Errorf("payment %d: open %t, version %d", n, r.Open, r.Version)
		}
	}
}

func TestFloor(t *testing.T) {
	f := newFloor(t)
	for _, rows := range []int{1, 50} {
		if err := f.insert(rows, []byte("state")); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := f.db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 51 {
		t.Errorf("%d rows, %v", n, err)
	}
}
