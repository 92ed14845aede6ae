package executor_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// trap makes one piece of foreign code misbehave, once it is set.
type trap struct {
	in  string // which piece
	how string // "stalls", "panics", "ends its goroutine"
	let chan struct{}

	mu  sync.Mutex
	set bool
	met int
}

func (t *trap) at(in string) {
	t.mu.Lock()
	set := t.set && t.in == in
	if set {
		t.met++
	}
	t.mu.Unlock()
	if !set {
		return
	}
	switch t.how {
	case "stalls":
		<-t.let
	case "panics":
		panic("a bug of " + in)
	case "ends its goroutine":
		runtime.Goexit()
	}
}

func (t *trap) spring(set bool) {
	t.mu.Lock()
	t.set = set
	t.mu.Unlock()
}

// trapped is a journal, an observer and a client with a trap in each method.
type trapped struct {
	journal.Journal
	*trap
}

func (j trapped) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	j.at("Put")
	return j.Journal.Put(ctx, r, d)
}

func (j trapped) Get(ctx context.Context, id string) (journal.Row, error) {
	j.at("Get")
	return j.Journal.Get(ctx, id)
}

func (j trapped) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	j.at("ByKey")
	return j.Journal.ByKey(ctx, k)
}

func (j trapped) Named(ctx context.Context, p string, names ...string) ([]journal.Row, error) {
	j.at("Named")
	return j.Journal.Named(ctx, p, names...)
}

func (j trapped) Due(ctx context.Context, by time.Time, after journal.Cursor, n int) ([]journal.Row, error) {
	j.at("Due")
	return j.Journal.Due(ctx, by, after, n)
}

type trappedObserver struct{ *trap }

func (o trappedObserver) Calling(ctx context.Context, _ *executor.CallEvent) context.Context {
	o.at("Calling")
	return ctx
}
func (o trappedObserver) Called(context.Context, *executor.CallEvent)      { o.at("Called") }
func (o trappedObserver) Decided(context.Context, *executor.DecisionEvent) { o.at("Decided") }
func (o trappedObserver) Waiting(context.Context, *executor.WaitEvent)     { o.at("Waiting") }
func (o trappedObserver) Ended(context.Context, *executor.EndEvent)        { o.at("Ended") }
func (o trappedObserver) Alerted(context.Context, *executor.AlertEvent)    { o.at("Alerted") }
func (o trappedObserver) WebhookReceived(context.Context, *executor.WebhookEvent) {
	o.at("WebhookReceived")
}

// trappedConfig is an executor with the trap in everything that is the caller's.
func trappedConfig(tr *trap) executor.Config {
	return executor.Config{
		Sweep:     time.Minute,
		Journal:   trapped{journal.NewMemory(), tr},
		Observers: []executor.Observer{trappedObserver{tr}},
		OnError:   func(error) { tr.at("OnError") },
		OnEscalate: func(context.Context, *executor.Result) error {
			tr.at("OnEscalate")
			return nil
		},
		OnAlert: func(context.Context, *executor.Alert) error {
			tr.at("OnAlert")
			return nil
		},
		NewRequestID: func(*policy.Payment) string {
			tr.at("NewRequestID")
			return "" // a random one is taken
		},
		NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			tr.at("NewOrder")
			return "", errors.New("there are none")
		},
		VerifyWebhook: func(_ context.Context, w *executor.Webhook) error {
			tr.at("VerifyWebhook")
			if w.Header != nil {
				return errors.New("a forged one")
			}
			return nil
		},
	}
}

// keeps runs a method that has to be over in a time.
func keeps(t *testing.T, name string, limit time.Duration, method func(context.Context)) {
	t.Helper()
	begun, over := time.Now(), make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	go func() {
		defer close(over)
		method(ctx)
	}()
	select {
	case <-over:
	case <-time.After(limit + time.Hour):
		t.Fatalf("%s does not return", name)
	}
	if took := time.Since(begun); took > limit {
		t.Errorf("%s returned after %s, its deadline is %s", name, took, limit)
	}
}

// Whatever stalls, panics or ends its goroutine, in a hook, an observer, a client or the journal: each method
// is over by its deadline, the executor can be closed, and nothing is sent from then on.
func TestForeignCodeKeepsNoMethodPastItsDeadline(t *testing.T) {
	pieces := []string{
		"", "OnError", "OnEscalate", "OnAlert", "NewRequestID", "NewOrder", "VerifyWebhook", "Send", "Query",
		"Calling", "Called", "Decided", "Waiting", "Ended", "Alerted", "WebhookReceived", "Put", "Get", "ByKey", "Named", "Due",
	}
	for i, in := range pieces {
		for k, how := range []string{"stalls", "panics", "ends its goroutine"} {
			if testkit.Short() && k != i%3 { // each piece fails in one way
				continue
			}
			t.Run(in+" "+how, func(t *testing.T) {
				bubble(t, func(t *testing.T) { stall(t, &trap{in: in, how: how, let: make(chan struct{})}) })
			})
		}
	}
}

func stall(t *testing.T, tr *trap) {
	defer close(tr.let)
	x := open(t, newOrders(t), trappedConfig(tr))
	at := func(in string) reply {
		return reply{do: func(context.Context, *executor.Attempt) { tr.at(in) }, answer: policy.Answer{Code: "7000"}}
	}
	b := &bank{sends: []reply{at("Send")}, asks: []reply{at("Query")}}
	long := begin(t, x, payment("open"), b) // it is queried for a day
	paid := begin(t, x, payment("paid"), &bank{sends: []reply{paidNow}})
	failing := &bank{sends: []reply{refused}}
	time.Sleep(time.Second)
	tr.spring(true)
	forged := hookOf("open", "0")
	forged.Header = http.Header{}
	const limit = time.Second + 200*time.Millisecond
	keeps(t, "Notify", limit, func(ctx context.Context) { _ = x.Notify(ctx, hookOf("paid", "1001")) }) // contradicts it
	keeps(t, "Notify of an open one", limit, func(ctx context.Context) { _ = x.Notify(ctx, hookOf("open", "7000")) })
	keeps(t, "Notify of a forged one", limit, func(ctx context.Context) { _ = x.Notify(ctx, forged) })
	keeps(t, "Start of one that needs an order", limit, func(ctx context.Context) { _, _ = x.Start(ctx, of("acme", payment("order")), failing) })
	keeps(t, "Do", limit, func(ctx context.Context) { _, _ = x.Do(ctx, of("acme", payment("do")), failing) })
	keeps(t, "Start", limit, func(ctx context.Context) { _, _ = x.Start(ctx, payment("start"), b) })
	keeps(t, "Do of the same key", limit, func(ctx context.Context) { _, _ = x.Do(ctx, payment("start"), b) })
	time.Sleep(26 * time.Hour) // the open ones escalate
	keeps(t, "Wait", limit, func(ctx context.Context) { _, _ = long.Wait(ctx) })
	keeps(t, "Wait of an ended one", limit, func(ctx context.Context) { _, _ = paid.Wait(ctx) })
	keeps(t, "Shopper", limit, func(ctx context.Context) { _, _ = long.Shopper(ctx) })
	keeps(t, "State", 6*time.Second, func(context.Context) { long.State() })
	keeps(t, "Withdraw", 31*time.Second, func(context.Context) { _ = long.Withdraw("a test") })
	keeps(t, "Handle", limit, func(ctx context.Context) { _, _ = x.Handle(ctx, paid.Flow()) })
	keeps(t, "Resolve", limit, func(ctx context.Context) {
		_ = x.Resolve(ctx, long.Flow(), executor.Resolution{OrderID: "o-open", Effect: policy.NotExecuted, Who: "a person", Why: "a test"})
	})
	keeps(t, "Resume", limit, func(ctx context.Context) { _, _ = x.Resume(ctx) })
	keeps(t, "Shadow", limit, func(ctx context.Context) {
		s, err := x.Shadow(payment("shadow"))
		if err != nil {
			t.Fatal(err)
		}
		s.Sending(ctx, "o", "r")(executor.Reply{Answer: &policy.Answer{Code: "0"}}, nil)
		s.Querying(ctx)(executor.Reply{}, errBroken)
		s.Received(ctx, hookOf("shadow", "0"))
		s.Ended(ctx, policy.Succeeded)
	})
	if hooks := "OnError OnEscalate OnAlert VerifyWebhook Calling Called Decided Waiting Ended Alerted WebhookReceived"; strings.Contains(hooks, tr.in) {
		keeps(t, "Do of a payment that no one of them concerns", limit, func(ctx context.Context) {
			if r, err := x.Do(ctx, payment("other"), &bank{sends: []reply{paidNow}}); err != nil || r.Outcome != policy.Succeeded {
				t.Errorf("it ended %v, %v", r, err)
			}
		})
	}
	keeps(t, "Close", limit, func(ctx context.Context) { _ = x.Close(ctx) })
	before, _ := b.calls()
	keeps(t, "Do after Close", limit, func(ctx context.Context) {
		if _, err := x.Do(ctx, payment("late"), b); !errors.Is(err, executor.ErrClosed) {
			t.Errorf("Do after Close: %v", err)
		}
	})
	keeps(t, "Start after Close", limit, func(ctx context.Context) {
		if _, err := x.Start(ctx, payment("late"), b); !errors.Is(err, executor.ErrClosed) {
			t.Errorf("Start after Close: %v", err)
		}
	})
	tr.spring(false)
	time.Sleep(time.Hour)
	if after, _ := b.calls(); after != before {
		t.Errorf("%d sends after Close", after-before)
	}
	if tr.in != "" && tr.met == 0 {
		t.Errorf("%s was never called", tr.in)
	}
}
