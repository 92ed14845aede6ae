package executor_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// as gives a request other identifiers: the same purchase, tried again.
func as(orderID, requestID string, q executor.Request) executor.Request {
	q.OrderID, q.RequestID = orderID, requestID
	return q
}

// refuse ends a first flow of a request's key failed.
func refuse(t *testing.T, x *executor.Executor, q executor.Request) *executor.Result {
	t.Helper()
	r := carry(t, x, q, &bank{sends: []reply{refused}})
	wantOutcome(t, r, policy.Failed)
	return r
}

// What is proved of an earlier flow while a later one is held forbids the later one's first send:
// when it was requested, this was unknown.
func TestAFlowThatHadToWaitLooksAtItsKeyAgain(t *testing.T) {
	do := func(x *executor.Executor, q executor.Request, b *bank) (*executor.Result, error) {
		return x.Do(context.Background(), q, b)
	}
	start := func(x *executor.Executor, q executor.Request, b *bank) (*executor.Result, error) {
		h, err := x.Start(context.Background(), q, b)
		if err != nil {
			return nil, err
		}
		return h.Wait(context.Background())
	}
	for name, ask := range map[string]func(*executor.Executor, executor.Request, *bank) (*executor.Result, error){"Do": do, "Start": start} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				refuse(t, x, payment("k"))
				trip(t, x)
				b := &bank{sends: []reply{paidNow}}
				time.AfterFunc(time.Second, func() {
					b.wantCalls(t, 0, 0)
					if err := x.Notify(context.Background(), hookOf("k", "0")); err != nil {
						t.Errorf("the webhook: %v", err)
					}
				})
				r, err := ask(x, as("o-2", "r-2", payment("k")), b)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, r, policy.Succeeded)
				b.wantCalls(t, 0, 0)
			})
		})
	}
}

// A flow that was accepted begins in the next process with all that its key has sent.
func TestAnAcceptedFlowOfTheLastProcessKnowsTheEarlierOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{refused}}
		x := open(t, defaults(), executor.Config{Journal: j})
		refuse(t, x, payment("k"))
		trip(t, x)
		h := begin(t, x, as("o-2", "r-2", payment("k")), b)
		if err := shutDown(x); err != nil {
			t.Fatal(err)
		}
		b.wantCalls(t, 0, 0)
		y := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if n, err := y.Resume(context.Background()); n != 1 || err != nil {
			t.Fatalf("%d flows go on, %v", n, err)
		}
		time.Sleep(time.Hour)
		b.wantCalls(t, 1, 0)
		if _, s := standing(t, j, h.Flow()); len(s.Ledger) != 2 || s.Ledger[0].OrderID != "o-k" || s.Ledger[1].OrderID != "o-2" {
			t.Errorf("the ledger is %+v", s.Ledger)
		}
	})
}

// A flow that was withdrawn before it began has sent nothing, and answers for nothing: a webhook
// goes to the flow before it, which says that it was marked failed and is paid.
func TestAFlowThatNeverBeganHidesNoneBeforeIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var alerts atomic.Int64
		x := open(t, defaults(), executor.Config{Journal: newSpy(), OnAlert: func(context.Context, *executor.Alert) error {
			alerts.Add(1)
			return nil
		}})
		first := refuse(t, x, payment("k"))
		trip(t, x)
		if err := begin(t, x, payment("k"), &bank{}).Withdraw("changed his mind"); err != nil {
			t.Fatal(err)
		}
		notify(t, x, hookOf("k", "0"))
		if alerts.Load() != 1 {
			t.Errorf("%d alerts, want 1", alerts.Load())
		}
		time.Sleep(time.Hour) // the breaker
		b := &bank{sends: []reply{paidNow}}
		_, err := x.Do(context.Background(), payment("k"), b)
		if doubt := wantError[*executor.DoubtError](t, err); doubt.Flow != first.Flow {
			t.Errorf("in doubt is flow %s, want %s", doubt.Flow, first.Flow)
		}
		b.wantCalls(t, 0, 0)
	})
}

// Nor does it make a request id free again: the provider would take the request for the old one.
func TestARequestIDStaysUsedBehindAFlowThatNeverBegan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		refuse(t, x, payment("k"))
		trip(t, x)
		if err := begin(t, x, payment("k"), &bank{}).Withdraw("changed his mind"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b := &bank{sends: []reply{paidNow}}
		r := carry(t, x, payment("k"), b)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 1, 0)
		if c := b.sent[0]; c.OrderID != "o-k" || c.RequestID == "r-k" || len(r.State().Ledger) != 2 {
			t.Errorf("sent as order %s, request %s; the ledger is %+v", c.OrderID, c.RequestID, r.State().Ledger)
		}
	})
}

// The shopper tries again under the same order, and is held; the webhook speaks of the first try.
func TestNotifyReachesAFlowThoughTheNextHasNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		refuse(t, x, payment("k"))
		trip(t, x)
		b := &bank{sends: []reply{paidNow}}
		h := begin(t, x, payment("k"), b)
		notify(t, x, hookOf("k", "0"))
		wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
		b.wantCalls(t, 0, 0)
	})
}

// A person says of an earlier flow that it was paid: the flow that waits to send again learns it.
func TestWhatIsResolvedOfAnEarlierFlowStopsTheLaterOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		first := refuse(t, x, payment("k"))
		b := &bank{sends: []reply{shut, paidNow}}
		h := begin(t, x, as("o-2", "r-2", payment("k")), b)
		synctest.Wait()
		if next := h.State().Next; !next.Action.Sends() {
			t.Fatalf("next: %+v", next)
		}
		resolve(t, x, first.Flow)
		wantOutcome(t, end(t, h, 48*time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 0)
	})
}

// resolve says that order o-k was executed.
func resolve(t *testing.T, x *executor.Executor, flow string) {
	t.Helper()
	err := x.Resolve(context.Background(), flow, executor.Resolution{OrderID: "o-k", Effect: policy.Executed, Who: "ann", Why: "the file"})
	if err != nil {
		t.Errorf("Resolve: %v", err)
	}
}

// A key that is known paid does not offer another order.
func TestNoNewOrderIsPossibleOfAKeyThatIsPaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, newOrders(t), executor.Config{Journal: newSpy(), NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			return "", errors.New("no more numbers")
		}})
		first := refuse(t, x, as("o-k", "r-k", of("acme", payment("k"))))
		if !first.State().NewOrderPossible {
			t.Fatal("no new order is possible of what was refused")
		}
		paid := reply{answer: refused.answer, do: func(context.Context, *executor.Attempt) { resolve(t, x, first.Flow) }}
		r := carry(t, x, as("o-2", "r-2", of("acme", payment("k"))), &bank{sends: []reply{paid}})
		wantOutcome(t, r, policy.Succeeded)
		if r.State().NewOrderPossible {
			t.Error("a new order is said to be possible")
		}
	})
}

// A source of ids that gives what an earlier flow had cannot be helped by asking it for ever.
func TestARequestIDOfAnEarlierFlowIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		asked := 0
		x := open(t, defaults(), executor.Config{Journal: newSpy(), NewRequestID: func(p *policy.Payment) string {
			asked++
			return "r-" + p.Key
		}})
		refuse(t, x, as("o-k", "", payment("k")))
		b := &bank{sends: []reply{paidNow}}
		r, err := x.Do(within(t, time.Minute), as("o-k", "", payment("k")), b)
		if err != nil {
			t.Fatal(err)
		}
		b.wantCalls(t, 1, 0)
		if first, second := r.State().Ledger[0].RequestID, r.State().Ledger[1].RequestID; asked != 2 || first == second {
			t.Errorf("asked for %d ids, want 2; sent as %q and %q", asked, first, second)
		}
	})
}

// A flow that was accepted begins, whatever the source of request ids does.
func TestAnAcceptedFlowBeginsThoughItsRequestIDWasUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, OnError: func(err error) { t.Log(err) }, NewRequestID: func(p *policy.Payment) string { return "r-" + p.Key }})
		refuse(t, x, as("o-k", "", payment("k")))
		trip(t, x)
		h := begin(t, x, as("o-k", "", payment("k")), &bank{sends: []reply{paidNow}})
		time.Sleep(100 * time.Hour)
		if s := h.State(); s.Stage == "" {
			t.Error("neither ended nor driven after 100 hours")
		}
	})
}
