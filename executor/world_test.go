package executor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// defaults are the embedded rules, with a code of MoMo's that refuses at the door.
var defaults = sync.OnceValue(func() *engine.Engine {
	e, err := engine.OpenFS(testkit.Door)
	if err != nil {
		panic(err)
	}
	return e
})

// rulesOf adds files to the rules of defaults.
func rulesOf(t *testing.T, files map[string]string) *engine.Engine {
	t.Helper()
	dir := testkit.Dir(t, testkit.WithDoor(files))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// newOrders is a merchant who tries a refused payment under another order, at once.
func newOrders(t *testing.T) *engine.Engine {
	return rulesOf(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id     = "again"
when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt && fired < 2'
then   = "retry_new_order"
reason = "another order"
`})
}

// reply is what a client returns.
type reply struct {
	answer policy.Answer
	err    error
	after  time.Duration                            // before it returns
	hold   <-chan struct{}                          // return when it is closed
	do     func(context.Context, *executor.Attempt) // before all that
	deaf   bool                                     // to its context
}

func code(c string) reply { return reply{answer: policy.Answer{Code: c}} }

// Replies that need no explanation.
var (
	silence = reply{after: 1000 * time.Hour}
	paidNow = code("0")
	paidAsk = code("0")    // to a query
	refused = code("1001") // insufficient funds, for good
	shut    = code("10")   // maintenance, refused at the door
	working = code("7000") // pending
	missing = code("42")   // a query that finds nothing
)

// bank is a client of MoMo's, whose provider says what a test wants. The last reply of a list is
// given for ever.
type bank struct {
	sends, asks []reply

	mu    sync.Mutex
	sent  []call
	asked []call
}

type call struct {
	executor.Attempt
	at time.Time
}

func (b *bank) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(ctx, a, &b.sent, b.sends)
}

func (b *bank) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(ctx, a, &b.asked, b.asks)
}

func (b *bank) answer(ctx context.Context, a *executor.Attempt, calls *[]call, replies []reply) (executor.Reply, error) {
	b.mu.Lock()
	n := len(*calls)
	*calls = append(*calls, call{*a, time.Now()})
	b.mu.Unlock()
	r := silence
	if len(replies) > 0 {
		r = replies[min(n, len(replies)-1)]
	}
	if r.do != nil {
		r.do(ctx, a)
	}
	over := ctx.Done()
	if r.deaf {
		over = nil
	}
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-over:
			return executor.Reply{}, ctx.Err()
		}
	}
	if r.after > 0 {
		select {
		case <-time.After(r.after):
		case <-over:
			return executor.Reply{}, ctx.Err()
		}
	}
	if r.err != nil {
		return executor.Reply{}, r.err
	}
	said := r.answer
	return executor.Reply{HTTPStatus: 200, Answer: &said}, nil
}

// calls is how many sends and queries were made.
func (b *bank) calls() (sends, asks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent), len(b.asked)
}

func (b *bank) wantCalls(t *testing.T, sends, asks int) {
	t.Helper()
	if s, a := b.calls(); s != sends || a != asks {
		t.Errorf("%d sends and %d queries were made, want %d and %d", s, a, sends, asks)
	}
}

// payment is what most tests pay.
func payment(key string) executor.Request {
	return executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: key, Amount: 120_000, Currency: "VND"},
		OrderID: "o-" + key, RequestID: "r-" + key,
	}
}

// of makes a request one of a merchant's.
func of(merchant string, q executor.Request) executor.Request {
	q.Merchant = merchant
	return q
}

// open makes an executor that is closed at the end of its bubble. Waits are not spread.
func open(t *testing.T, rules executor.Rules, c executor.Config) *executor.Executor {
	t.Helper()
	if c.Jitter == nil {
		c.Jitter = func() float64 { return 0.5 }
	}
	if c.AdminHosts == nil {
		c.AdminHosts = []string{"example.com"} // as httptest.NewRequest has it
	}
	x, err := executor.New(rules, &c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		used, inLine := x.SlotsUsed()
		if used+inLine != 0 { // the last driver may not have noticed yet that a webhook ended its flow
			time.Sleep(time.Second)
			used, inLine = x.SlotsUsed()
		}
		if used+inLine != 0 {
			t.Errorf("no flow is in memory, and %d slots are used, %d places in line", used, inLine)
		}
		shutDown(x)
	})
	return x
}

func shutDown(x *executor.Executor) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	return x.Close(ctx)
}

// bubble runs a test in virtual time. Cleanups run inside.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// carry does a payment that has to end.
func carry(t *testing.T, x *executor.Executor, q executor.Request, c executor.Client) *executor.Result {
	t.Helper()
	r, err := x.Do(context.Background(), q, c)
	if err != nil {
		t.Fatalf("no end: %v", err)
	}
	return r
}

func wantOutcome(t *testing.T, r *executor.Result, want policy.Outcome) {
	t.Helper()
	if r == nil || r.Outcome != want {
		t.Fatalf("it ended %s, want %s", ended(r), want)
	}
}

func ended(r *executor.Result) string {
	if r == nil {
		return "without a result"
	}
	return fmt.Sprintf("%s: %s\n%s", r.Outcome, r.Reason, r.Story())
}

// begin starts a payment in the background.
func begin(t *testing.T, x *executor.Executor, q executor.Request, c executor.Client) *executor.Handle {
	t.Helper()
	h, err := x.Start(context.Background(), q, c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// end waits for a flow that has to end within a time.
func end(t *testing.T, h *executor.Handle, d time.Duration) *executor.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	r, err := h.Wait(ctx)
	if err != nil {
		t.Fatalf("no end within %s: %v", d, err)
	}
	return r
}

// hook is a webhook that says how an order stands.
func hook(order, said string, verified bool) executor.Webhook {
	return executor.Webhook{
		Provider: "momo", Verified: verified, Answer: &policy.Answer{Code: said, OrderID: order},
	}
}

func wantError[E error](t *testing.T, err error) E {
	t.Helper()
	var as E
	if !errors.As(err, &as) {
		t.Fatalf("the error is %T (%v), want %T", err, err, as)
	}
	return as
}

// keyOf is the key of a request in a journal.
func keyOf(q executor.Request) journal.Key {
	return journal.Key{Merchant: q.Merchant, Operation: q.Operation, Payment: q.Key}
}
