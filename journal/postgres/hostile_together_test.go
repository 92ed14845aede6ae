package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

func shopOf(t *testing.T) *pgx.Conn {
	t.Helper()
	shop, err := pgx.Connect(context.Background(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shop.Close(context.Background()) })
	return shop
}

// pay carries a payment to its success at a site.
func pay(t *testing.T, s *site, key string) {
	t.Helper()
	before := len(s.c.attempts())
	h, err := s.x.Start(within(t, 20*time.Second), purchase(key), s.c)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the send", func() bool { return len(s.c.attempts()) == before+1 })
	at := s.c.attempts()[before]
	if err := s.x.Notify(within(t, 20*time.Second), paid(&at)); err != nil {
		t.Fatal(err)
	}
	if r, err := h.Wait(within(t, 20*time.Second)); err != nil || r.Outcome != policy.Succeeded {
		t.Fatalf("%v, %v", r, err)
	}
}

// shop is a program that stores payments in its own transactions.
type shop struct {
	t    *testing.T
	c    *pgx.Conn
	a, b *site
}

func newShop(t *testing.T) *shop {
	schema, c := newSchema(), &momo{}
	return &shop{t: t, c: shopOf(t), a: newSite(t, schema, c), b: newSite(t, schema, c)}
}

func (s *shop) prepared(q executor.Request) *journal.Row {
	s.t.Helper()
	row, err := s.a.x.Prepare(within(s.t, 20*time.Second), q)
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

// stored commits a prepared row.
func (s *shop) stored(row *journal.Row) {
	s.t.Helper()
	ctx := within(s.t, 20*time.Second)
	tx, err := s.c.Begin(ctx)
	if err == nil {
		err = s.a.j.PutTx(ctx, tx, row)
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// endsUnsent waits for the end of a flow, and fails if there were other sends than those before.
func (s *shop) endsUnsent(row *journal.Row, sent int) {
	s.t.Helper()
	waitFor(s.t, "it ends", func() bool {
		r, err := s.b.j.Get(within(s.t, 20*time.Second), row.ID)
		return err == nil && !r.Open
	})
	if got := s.a.c.attempts(); len(got) != sent {
		s.t.Errorf("%d sends, want %d", len(got), sent)
	}
}

// A row that was prepared is stored after its key has been paid by another flow: it is not sent.
func TestAKeyIsPaidBetweenPrepareAndCommit(t *testing.T) {
	s := newShop(t)
	for n, handled := range []bool{false, true} {
		key := fmt.Sprint(n)
		row := s.prepared(purchase(key))
		pay(t, s.b, key)
		s.stored(row)
		if handled {
			if _, err := s.a.x.Handle(within(t, 20*time.Second), row.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.endsUnsent(row, n+1)
	}
}

// The order of a prepared row is used by another payment before the row is stored: one of them is sent.
func TestAnOrderIsUsedBetweenPrepareAndCommit(t *testing.T) {
	s := newShop(t)
	first, second := purchase("1"), purchase("2")
	first.OrderID, second.OrderID = "one order", "one order"
	row := s.prepared(first)
	if _, err := s.b.x.Start(within(t, 20*time.Second), second, s.b.c); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the send", func() bool { return len(s.b.c.attempts()) == 1 })
	s.stored(row)
	s.endsUnsent(row, 1)
}

// A row whose savepoint was rolled back is not there after the commit.
func TestASavepointThatIsRolledBack(t *testing.T) {
	s := newShop(t)
	ctx := within(t, 20*time.Second)
	row := s.prepared(purchase("1"))
	tx, err := s.c.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := tx.Begin(ctx)
	if err == nil {
		err = s.a.j.PutTx(ctx, inner, row)
	}
	if err == nil {
		err = inner.Rollback(ctx)
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.b.x.Handle(ctx, row.ID); !errors.Is(err, executor.ErrUnknownFlow) {
		t.Errorf("Handle returned %v", err)
	}
	if names, err := s.a.j.Named(ctx, "momo", "order-1"); len(names) != 0 || err != nil {
		t.Errorf("Named found %v, %v", names, err)
	}
}

// While the shop's transaction is open, callers of its key get an error or join, at each process, and others are served.
func TestCallersOfAKeyInAnOpenTransaction(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	ctx := within(t, 60*time.Second)
	shop := shopOf(t)
	row, err := a.x.Prepare(ctx, purchase("k"))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := shop.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.j.PutTx(ctx, tx, row); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			_, err := []*site{a, b}[i%2].x.Start(within(t, 20*time.Second), purchase("k"), c)
			t.Logf("caller %d: %v", i, err)
			if err == nil {
				t.Error("it was begun")
			}
		})
	}
	for i := range 5 {
		if _, err := []*site{a, b}[i%2].x.Start(within(t, 20*time.Second), purchase(fmt.Sprint(i)), c); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the sends", func() bool { return len(c.attempts()) == 6 })
	h, err := b.x.Start(ctx, purchase("k"), c)
	if err != nil || h.Flow() != row.ID {
		t.Errorf("%v, %v", h, err)
	}
	time.Sleep(100 * time.Millisecond)
	seen := map[string]bool{}
	for _, a := range c.attempts() {
		if seen[a.OrderID] {
			t.Errorf("%s was sent twice", a.OrderID)
		}
		seen[a.OrderID] = true
	}
}

// Two processes hear the same webhook, a withdrawal and a person's word at once.
func TestWordsAtAllProcessesAtOnce(t *testing.T) {
	schema, c := newSchema(), &momo{}
	sites := []*site{newSite(t, schema, c), newSite(t, schema, c), newSite(t, schema, c)}
	for n := range testkit.Size(4, 10, 100) {
		h, err := sites[n%3].x.Start(within(t, 20*time.Second), purchase(fmt.Sprint(n)), c)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the send", func() bool { return len(c.attempts()) == n+1 })
		at := c.attempts()[n]
		var all sync.WaitGroup
		for i, s := range sites {
			all.Go(func() {
				if i != n%3 {
					if there, err := s.x.Handle(within(t, 20*time.Second), h.Flow()); err != nil {
						t.Error(err)
					} else if err := there.Withdraw("the shopper left"); err != nil {
						t.Error(err)
					}
				}
				if err := s.x.Notify(within(t, 20*time.Second), paid(&at)); err != nil {
					t.Error(err)
				}
				if err := s.x.Resolve(within(t, 20*time.Second), h.Flow(), executor.Resolution{OrderID: at.OrderID, Effect: policy.Executed, Who: "an", Why: "seen"}); err != nil {
					t.Logf("Resolve: %v", err)
				}
			})
		}
		all.Wait()
		if r, err := h.Wait(within(t, 20*time.Second)); err != nil || r.Outcome != policy.Succeeded {
			t.Fatalf("%v, %v", r, err)
		}
	}
	if got := len(c.attempts()); got != testkit.Size(4, 10, 100) {
		t.Errorf("%d sends", got)
	}
}
