package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// crossing is a provider with three merchants, whose payments, captures, refunds and payouts all have the same
// order numbers. It keeps a ledger. Its webhooks reach the process with those of other payments.
type crossing struct {
	mu      sync.Mutex
	drawing sync.Mutex
	rand    *rand.Rand
	ledger  map[identity]*entry
	notify  func(executor.Webhook) error
	ids     int
	full    time.Time // until then the disk is
}

// harm is what happens to a write of the process: the disk is full, the process is stopped in the middle, or the
// row is stored and the disk says that it is not.
func (w *crossing) harm(j *spy) {
	full := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Before(w.full)
	}
	j.before = func(*put) error {
		if full() {
			return errBroken
		}
		if w.n(100) == 0 {
			time.Sleep(time.Duration(w.n(600)) * time.Second)
		}
		return nil
	}
	j.after = func(*put) error {
		if w.n(200) == 0 {
			return errBroken
		}
		return nil
	}
}

// fill fills the disk for a while.
func (w *crossing) fill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = time.Now().Add(time.Minute)
}

// identity is what the provider executes once at most.
type identity struct {
	merchant       string
	op             policy.Operation
	order, request string
}

type entry struct {
	key      string
	amount   int64
	executed int
	refused  bool
	lost     bool
	trans    int
	done     time.Time
}

func (e *entry) code(now time.Time) string {
	switch {
	case e.lost:
		return "42"
	case now.Before(e.done):
		return "7000"
	case e.refused:
		return "1006"
	}
	return "0"
}

// n draws a number.
func (w *crossing) n(n int) int {
	w.drawing.Lock()
	defer w.drawing.Unlock()
	return w.rand.IntN(n)
}

// Send executes or refuses a request, now or later, and answers or not.
func (w *crossing) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	w.mu.Lock()
	id := identity{a.Payment.Merchant, a.Payment.Operation, a.OrderID, a.RequestID}
	e := w.ledger[id]
	if e == nil {
		w.ids++
		e = &entry{key: a.Payment.Key, amount: a.Payment.Amount, trans: w.ids}
		w.ledger[id] = e
	}
	mute := w.n(2) == 0
	if e.executed > 0 || e.refused { // it remembers the request
		code := e.code(time.Now())
		w.mu.Unlock()
		return w.reply(ctx, code, mute)
	}
	e.lost = false
	if e.done = time.Now().Add(time.Duration(w.n(40)) * time.Minute); w.n(4) == 0 {
		e.done = time.Now()
	}
	switch w.n(10) {
	case 0:
		e.lost = true
	case 1, 2, 3:
		if e.refused = id.op == policy.Pay; !e.refused { // of the others a refusal by query proves nothing
			e.executed++
		}
	default:
		e.executed++
	}
	code := e.code(time.Now())
	if !e.lost {
		for range 1 + w.n(3) {
			time.AfterFunc(time.Until(e.done)+time.Duration(w.n(600))*time.Second, func() { w.webhook(id, e) })
		}
	}
	w.mu.Unlock()
	return w.reply(ctx, code, mute || e.lost)
}

// Query says the truth about the order, and nothing for a while.
func (w *crossing) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	w.mu.Lock()
	code, mute := "42", w.n(3) == 0
	if e := w.ledger[identity{a.Payment.Merchant, a.Payment.Operation, a.OrderID, a.RequestID}]; e != nil {
		code = e.code(time.Now())
		if a.Payment.Operation == policy.Cancel && e.executed > 0 { // MoMo says how the order stands, and that is no proof
			code = "7000"
		}
	}
	w.mu.Unlock()
	return w.reply(ctx, code, mute)
}

func (w *crossing) reply(ctx context.Context, code string, mute bool) (executor.Reply, error) {
	if mute {
		<-ctx.Done()
		return executor.Reply{}, ctx.Err()
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: code}}, nil
}

// webhook delivers the news of a request as the provider writes it, until it is taken, and beside it news of
// payments that are none of this process's, and bodies that name nothing.
func (w *crossing) webhook(id identity, e *entry) {
	w.mu.Lock()
	news := executor.Webhook{Provider: "momo", Merchant: id.merchant, Verified: true, Operations: []policy.Operation{id.op}}
	news.Body = fmt.Appendf(nil, `{"orderId":%q,"requestId":%q,"amount":%d,"transId":%d,"resultCode":%s}`, id.order, id.request, e.amount, e.trans, e.code(time.Now()))
	switch w.n(4) {
	case 0:
		news.Merchant = ""
	case 1:
		news.Operations = nil
	case 2:
		news.Merchant, news.Operations = "", nil
	}
	opposite := "1006"
	if e.refused {
		opposite = "0"
	}
	lie := func(format string, args ...any) executor.Webhook {
		return executor.Webhook{Provider: "momo", Merchant: id.merchant, Verified: true, Body: fmt.Appendf(nil, format, args...)}
	}
	others := []executor.Webhook{
		lie(`{"resultCode":%s,"amount":%d}`, opposite, e.amount),                                                                                                                        // names nothing
		lie(`{"orderId":"","requestId":"0","transId":0,"resultCode":%s,"amount":%d}`, opposite, e.amount),                                                                               // names none
		lie(`{"transId":%s,"resultCode":%s,"amount":%d}`, id.order, opposite, e.amount),                                                                                                 // their id has our order's text
		lie(`{"orderId":%q,"requestId":%q,"resultCode":%s,"amount":%d}`, id.order, id.request, opposite, e.amount+1),                                                                    // another amount
		{Provider: "momo", Merchant: "stranger", Verified: true, Body: lie(`{"orderId":%q,"requestId":%q,"resultCode":%s,"amount":%d}`, id.order, id.request, opposite, e.amount).Body}, // another merchant's
		{Provider: "momo", Merchant: id.merchant, Body: lie(`{"orderId":%q,"requestId":%q,"resultCode":%s,"amount":%d}`, id.order, id.request, opposite, e.amount).Body},                // forged
	}
	if opposite == "0" {
		others = append(others[:3], others[4:]...) // an execution of another amount under our names is ours to escalate
	}
	other := others[w.n(len(others))]
	notify := w.notify
	w.mu.Unlock()
	_ = notify(other)
	if id.op == policy.Cancel { // of which MoMo sends none
		return
	}
	if err := notify(news); err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
		time.AfterFunc(10*time.Minute, func() { w.webhook(id, e) })
	}
}

// Flows of three merchants and all operations have the same order numbers, and often the same request ids, and
// webhooks cross between them; processes die and are paused, the disk is full, rows are stored that it denies, and the wall clock
// is stepped by two hours. No money moves twice, no flow is lost, none ends against the ledger or by news of another payment.
func TestWebhooksThatCross(t *testing.T) {
	flows := testkit.Size(120, 600, 2000)
	bubble(t, func(t *testing.T) {
		w := &crossing{rand: rand.New(rand.NewPCG(7, uint64(flows))), ledger: map[identity]*entry{}, ids: 10_000_000}
		shared, clock := newSpy(), new(steps)
		// The wall clock goes to and fro: steps that add up would take a flow past its four hours at a restart, and it rightly ends then.
		off := time.Hour
		clock.by(off)
		step := func() { off = -off; clock.by(2 * off) }
		rules := rulesOf(t, map[string]string{"momo.toml": "", "merchants/one.toml": newOrderRule})
		var x *executor.Executor
		var j *spy
		live := func() {
			if x != nil {
				j.kill(true)
				old := x
				go func() { _ = shutDown(old) }()
				step()
			}
			j = shared.beside()
			w.harm(j)
			orders := numbered("n-")
			if x != nil {
				orders = nil
			}
			x = open(t, rules, executor.Config{
				Journal: j, WallClock: clock.now, NewOrder: orders, Breaker: executor.Breaker{Off: true}, Budget: executor.Budget{Off: true},
				Clients: map[string]executor.Client{"momo": w},
			})
			now := x
			w.mu.Lock()
			w.notify = func(h executor.Webhook) error { return now.Notify(context.Background(), h) }
			w.mu.Unlock()
			_, _ = x.Resume(context.Background())
		}
		live()
		requests := crossingRequests(w, flows)
		for i, q := range requests {
			for tries := 0; ; tries++ { // nothing was sent where the disk refused it: the shop asks again, under its key
				_, err := x.Start(context.Background(), q, w)
				if err == nil {
					break
				}
				if tries > 20 || !errors.Is(err, errBroken) {
					t.Fatalf("%+v: %v", q, err)
				}
				time.Sleep(20 * time.Second)
			}
			time.Sleep(time.Duration(w.n(20)) * time.Second)
			if i%(flows/4) == flows/4-1 {
				live()
			}
			if w.n(50) == 0 {
				w.fill()
			}
			if w.n(20) == 0 {
				step()
			}
		}
		time.Sleep(100 * time.Hour)
		w.check(t, shared, requests)
	})
}

// crossingRequests are payments of three merchants and all operations, all with the same order numbers.
func crossingRequests(w *crossing, flows int) []executor.Request {
	var all []executor.Request
	ops := []policy.Operation{policy.Pay, policy.Checkout, policy.Capture, policy.Cancel, policy.Refund, policy.Payout}
	merchants := []string{"one", "two", "three"}
	for i := 0; len(all) < flows; i++ {
		for _, m := range merchants {
			for _, op := range ops {
				order := fmt.Sprint(1 + i)
				request := order
				if w.n(2) == 0 {
					request = fmt.Sprintf("%s-%s-%s", order, m, op)
				}
				q := as(order, request, operation(op, of(m, payment(fmt.Sprint("k", i)))))
				q.Amount = int64(1000 * (1 + w.n(3)))
				all = append(all, q)
			}
		}
	}
	return all[:flows]
}

func evidence(s flow.State) (text string) {
	for _, e := range s.Evidence {
		text += fmt.Sprintf("%s %s %s: identity %d, %+v\n", e.At.Format(time.TimeOnly), e.Phase, flow.DescribeAnswer(e.Answer), e.Identity, *e.Answer)
	}
	return text
}

// check holds the journal to the ledger.
func (w *crossing) check(t *testing.T, j *spy, requests []executor.Request) {
	t.Helper()
	count := map[policy.Outcome]int{}
	for _, q := range requests {
		executed, lost := 0, true // nothing arrived, or what did was lost
		for id, e := range w.ledger {
			if id.merchant == q.Merchant && id.op == q.Operation && e.key == q.Key {
				executed += e.executed
				lost = lost && e.lost
			}
		}
		all := rows(t, j, keyOf(q))
		if len(all) == 0 {
			t.Fatalf("%+v is lost", q)
		}
		s := decodeState(t, &all[len(all)-1])
		for i := range all[:len(all)-1] { // the disk denied its first row: it was withdrawn, or refused and tried again
			if before := decodeState(t, &all[i]); before.Stage != flow.Ended || before.Outcome != policy.Failed {
				t.Errorf("an earlier flow of %+v is %s, %s", q, before.Stage, before.Outcome)
			}
		}
		count[s.Outcome]++
		name := fmt.Sprintf("%s %s order %s request %s", q.Merchant, q.Operation, q.OrderID, q.RequestID)
		switch {
		case executed > 1:
			t.Errorf("S1: %s executed %d times", name, executed)
		case s.Stage != flow.Ended:
			t.Errorf("S4: %s is %s, next %+v", name, s.Stage, s.Next)
		case s.Outcome == policy.Succeeded && executed == 0:
			t.Errorf("S3: %s succeeded, and did not execute: %s\n%s", name, s.Reason, evidence(s))
		case s.Outcome == policy.Failed && executed > 0:
			t.Errorf("S2: %s failed, and executed: %s\n%s", name, s.Reason, evidence(s))
		case s.Ledger[0].Mismatch || s.Ledger[0].Contested || s.Outcome == policy.Escalated && !lost && q.Operation != policy.Cancel:
			t.Errorf("%s was escalated by news of another payment: %s\n%+v", name, s.Reason, s.Ledger)
		}
	}
	t.Logf("%d flows: %v", len(requests), count)
	if count[policy.Succeeded] < len(requests)/4 || count[policy.Failed] < len(requests)/200 {
		t.Error("too few flows end by a proof for the test to mean anything")
	}
}
