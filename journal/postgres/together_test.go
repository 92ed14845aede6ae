package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// momo is a client of MoMo's. A send is pending until a webhook comes; a query says so too.
type momo struct {
	mu   sync.Mutex
	sent []executor.Attempt
	hold chan struct{} // a send returns when it is closed; nil: at once
}

func (m *momo) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	m.mu.Lock()
	m.sent = append(m.sent, *a)
	m.mu.Unlock()
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return executor.Reply{}, ctx.Err()
		}
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000"}}, nil
}

func (m *momo) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000"}}, nil
}

func (m *momo) attempts() []executor.Attempt {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sent)
}

// site is an executor with a journal of its own, as in another process.
type site struct {
	j *Journal
	x *executor.Executor
	c *momo
}

func newSite(t *testing.T, schema string, c *momo) *site {
	t.Helper()
	s := &site{j: opened(t, Options{Schema: schema, Lease: 5 * time.Second}), c: c}
	rules, err := engine.OpenFS(testkit.Door)
	if err != nil {
		t.Fatal(err)
	}
	s.x, err = executor.New(rules, &executor.Config{
		Journal: s.j, Clients: map[string]executor.Client{"momo": c}, Sweep: 100 * time.Millisecond,
		OnError:   func(err error) { t.Log("OnError:", err) },
		Duplicate: executor.Duplicates{Within: time.Minute, Tag: "customer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.x.Close(context.Background()), s.j.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func purchase(key string) executor.Request {
	return executor.Request{OrderID: "order-" + key, Payment: policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: key, Amount: 50_000, Currency: "VND",
	}}
}

// paid is the webhook that ends a payment.
func paid(a *executor.Attempt) executor.Webhook {
	return executor.Webhook{Provider: "momo", Merchant: "acme", Verified: true, Answer: &policy.Answer{
		Code: "0", OrderID: a.OrderID, RequestID: a.RequestID, Amount: a.Payment.Amount, Currency: a.Payment.Currency,
	}}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("it did not happen in a minute: %s", what)
		}
	}
}

// A webhook ends a wait at another process than the one that it comes to, and soon.
func TestWebhookAtAnotherProcess(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	var took []time.Duration
	for n := range testkit.Size(10, 30, 200) {
		h, err := a.x.Start(within(t, 20*time.Second), purchase(fmt.Sprint(n)), c)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the send", func() bool { return len(c.attempts()) == n+1 })
		at := c.attempts()[n]
		began := time.Now()
		if err := b.x.Notify(within(t, 20*time.Second), paid(&at)); err != nil {
			t.Fatal(err)
		}
		r, err := h.Wait(within(t, 20*time.Second))
		if err != nil || r.Outcome != policy.Succeeded {
			t.Fatalf("the flow ended %v, %v", r, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("a webhook at another process ends the wait in %s at p50, %s at most", took[len(took)/2], took[len(took)-1])
	if len(c.attempts()) != len(took) {
		t.Errorf("%d sends for %d payments", len(c.attempts()), len(took))
	}
}

// A request at another process joins the flow of its key, follows it, and may withdraw it.
func TestJoinAtAnotherProcess(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	first, err := a.x.Start(within(t, 20*time.Second), purchase("k"), c)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.x.Start(within(t, 20*time.Second), purchase("k"), c)
	if err != nil || second.Flow() != first.Flow() {
		t.Fatalf("joined %v, %v", second, err)
	}
	other := purchase("k")
	other.Amount++
	var mismatch *executor.MismatchError
	if _, err := b.x.Start(within(t, 20*time.Second), other, c); !errors.As(err, &mismatch) {
		t.Fatalf("another amount under the same key: %v", err)
	}
	if _, err := second.Wait(within(t, 200*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait of an open flow: %v", err)
	}
	waitFor(t, "the send", func() bool { return len(c.attempts()) == 1 })
	at := c.attempts()[0]
	if err := a.x.Notify(within(t, 20*time.Second), paid(&at)); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*executor.Handle{first, second} {
		if r, err := h.Wait(within(t, 20*time.Second)); err != nil || r.Outcome != policy.Succeeded {
			t.Fatalf("the flow ended %v, %v", r, err)
		}
	}
	if r, err := b.x.Do(within(t, 20*time.Second), purchase("k"), c); err != nil || !r.Repeated {
		t.Fatalf("a request after the end: %v, %v", r, err)
	}
}

// Many requests of one key at once, at two processes: one is sent.
func TestOneKeyAtTwoProcesses(t *testing.T) {
	schema, c := newSchema(), &momo{}
	sites := []*site{newSite(t, schema, c), newSite(t, schema, c)}
	for n := range testkit.Size(5, 20, 100) {
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				if _, err := sites[i%2].x.Start(within(t, 20*time.Second), purchase(fmt.Sprint(n)), c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	seen := map[string]bool{}
	waitFor(t, "the sends", func() bool { return len(c.attempts()) >= testkit.Size(5, 20, 100) })
	for _, a := range c.attempts() {
		if seen[a.OrderID] {
			t.Errorf("%s was sent twice", a.OrderID)
		}
		seen[a.OrderID] = true
	}
}

// Two payments that have one order, or are alike, begin at two processes at the same moment: at most one is sent.
func TestOneOrderAtTwoProcesses(t *testing.T) {
	schema, c := newSchema(), &momo{}
	sites := []*site{newSite(t, schema, c), newSite(t, schema, c)}
	for n := range testkit.Size(5, 20, 100) {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				q := purchase(fmt.Sprintf("%d-%d", n, i))
				if n%2 == 0 {
					q.OrderID = fmt.Sprint("same-", n)
				} else {
					q.Tags = map[string]string{"customer": fmt.Sprint(n)}
				}
				_, err := sites[i%2].x.Start(within(t, 20*time.Second), q, c)
				var order *executor.OrderError
				var alike *executor.DuplicateError
				if err != nil && !errors.As(err, &order) && !errors.As(err, &alike) {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	time.Sleep(100 * time.Millisecond) // for a send too many
	seen := map[string]string{}
	for _, a := range c.attempts() {
		of := a.OrderID
		if customer := a.Payment.Tags["customer"]; customer != "" {
			of = "customer " + customer
		}
		if seen[of] != "" {
			t.Errorf("%s was sent by flows %s and %s", of, seen[of], a.Flow)
		}
		seen[of] = a.Flow
	}
}

// Order and payment are committed together. After the commit the flow begins at once where it is asked for, and
// otherwise with the next sweep of any process.
func TestStartWithinATransaction(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	ctx := within(t, 30*time.Second)
	shop, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close(context.Background())
	start := func(key string, end func(pgx.Tx) error) string {
		row, err := a.x.Prepare(ctx, purchase(key))
		if err != nil {
			t.Fatal(err)
		}
		tx, err := shop.Begin(ctx)
		if err == nil {
			err = a.j.PutTx(ctx, tx, row)
		}
		if err == nil {
			time.Sleep(250 * time.Millisecond) // the sweeps must not see it
			if len(c.attempts()) > 0 && c.attempts()[len(c.attempts())-1].Flow == row.ID {
				t.Error("it was sent before the commit")
			}
			err = end(tx)
		}
		if err != nil {
			t.Fatal(err)
		}
		return row.ID
	}
	gone := start("gone", func(tx pgx.Tx) error { return tx.Rollback(ctx) })
	if _, err := a.x.Handle(ctx, gone); !errors.Is(err, executor.ErrUnknownFlow) {
		t.Fatalf("a flow whose transaction was rolled back: %v", err)
	}
	swept := start("swept", func(tx pgx.Tx) error { return tx.Commit(ctx) })
	waitFor(t, "a sweep sends it", func() bool { return len(c.attempts()) == 1 })
	if got := c.attempts()[0]; got.Flow != swept {
		t.Fatalf("flow %s was sent, want %s", got.Flow, swept)
	}
	asked := start("asked", func(tx pgx.Tx) error { return tx.Commit(ctx) })
	if _, err := b.x.Handle(ctx, asked); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "it is sent", func() bool { return len(c.attempts()) == 2 })
	var open *journal.OpenError
	if _, err := b.x.Prepare(ctx, purchase("asked")); !errors.As(err, &open) || open.ID != asked {
		t.Fatalf("Prepare of a key that has an open flow: %v", err)
	}
	for i := range 2 {
		at := c.attempts()[i]
		if err := b.x.Notify(ctx, paid(&at)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := b.x.Handle(ctx, swept)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := h.Wait(ctx); err != nil || r.Outcome != policy.Succeeded {
		t.Fatalf("%v, %v", r, err)
	}
	var doubt *executor.DoubtError
	if _, err := b.x.Prepare(ctx, purchase("swept")); !errors.As(err, &doubt) {
		t.Fatalf("Prepare of a key that is paid: %v", err)
	}
}

// Withdraw and Resolve at another process reach the flow.
func TestWordsAtAnotherProcess(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	ctx := within(t, 30*time.Second)
	h, err := a.x.Start(ctx, purchase("k"), c)
	if err != nil {
		t.Fatal(err)
	}
	there, err := b.x.Handle(ctx, h.Flow())
	if err != nil {
		t.Fatal(err)
	}
	if err := there.Withdraw("the shopper has left"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the withdrawal", func() bool { return h.State().Withdrawn != "" })
	if err := b.x.Resolve(ctx, h.Flow(), executor.Resolution{OrderID: "no such order", Effect: policy.Executed, Who: "an", Why: "seen"}); err == nil {
		t.Fatal("a resolution of an order that was not sent was taken")
	}
	if err := b.x.Resolve(ctx, h.Flow(), executor.Resolution{OrderID: "order-k", Effect: policy.NotExecuted, Who: "an", Why: "seen in the portal"}); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*executor.Handle{h, there} {
		if r, err := h.Wait(ctx); err != nil || r.Outcome != policy.Failed {
			t.Fatalf("%v, %v", r, err)
		}
	}
}

// hooked is a journal in which something happens once, after a look at a key, or when another flow has kept a row out.
type hooked struct {
	*Journal

	mu      sync.Mutex
	after   func()
	refused func(flow string)
}

func (h *hooked) set(after func(), refused func(flow string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.after, h.refused = after, refused
}

func (h *hooked) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	err := h.Journal.Put(ctx, r, d)
	if open := (*journal.OpenError)(nil); errors.As(err, &open) {
		h.mu.Lock()
		refused := h.refused
		h.refused = nil
		h.mu.Unlock()
		if refused != nil {
			refused(open.ID)
		}
	}
	return err
}

func (h *hooked) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	rows, err := h.Journal.ByKey(ctx, k)
	h.mu.Lock()
	after := h.after
	h.after = nil
	h.mu.Unlock()
	if after != nil {
		after()
	}
	return rows, err
}

// Between a process's look at a key and its first row, another process begins a flow of the key and ends it: no open flow
// is in the way of the row, and yet nothing is sent. The request gets what the other flow came to.
func TestAKeyIsServedBetweenLookAndRow(t *testing.T) {
	schema, c := newSchema(), &momo{}
	a, b := newSite(t, schema, c), newSite(t, schema, c)
	rules, err := engine.OpenFS(testkit.Door)
	if err != nil {
		t.Fatal(err)
	}
	h := &hooked{Journal: b.j}
	x, err := executor.New(rules, &executor.Config{Journal: h, Clients: map[string]executor.Client{"momo": c}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close(context.Background())
	for n, ask := range []func(executor.Request) (*executor.Result, error){
		func(q executor.Request) (*executor.Result, error) { return x.Do(within(t, 20*time.Second), q, c) },
		func(q executor.Request) (*executor.Result, error) { return x.Do(within(t, 20*time.Second), q, c) },
		func(q executor.Request) (*executor.Result, error) {
			h, err := x.Start(within(t, 20*time.Second), q, c)
			if err != nil {
				return nil, err
			}
			return h.Wait(within(t, 20*time.Second))
		},
	} {
		q := purchase(fmt.Sprint(n))
		h.set(func() {
			first, err := a.x.Start(within(t, 20*time.Second), q, c)
			if err != nil {
				t.Error(err)
				return
			}
			waitFor(t, "the send", func() bool { return len(c.attempts()) == n+1 })
			at := c.attempts()[n]
			if err := a.x.Notify(within(t, 20*time.Second), paid(&at)); err != nil {
				t.Error(err)
			}
			if r, err := first.Wait(within(t, 20*time.Second)); err != nil || r.Outcome != policy.Succeeded {
				t.Errorf("%v, %v", r, err)
			}
		}, nil)
		r, err := ask(q)
		if err != nil || r.Outcome != policy.Succeeded || !r.Repeated {
			t.Errorf("way %d: %+v, %v", n, r, err)
		}
	}
	if got := len(c.attempts()); got != 3 {
		t.Errorf("3 payments were sent %d times", got)
	}
}
