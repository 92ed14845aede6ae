package executor_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// trip opens the breaker of MoMo's payments, of five failures.
func trip(t *testing.T, x *executor.Executor) {
	t.Helper()
	for i := range 5 {
		_, err := x.Do(within(t, time.Second), payment(fmt.Sprint("trip", i)), &bank{sends: []reply{shut}})
		wantError[*executor.WithdrawnError](t, err)
	}
}

// turned is a flow of key k that was let through to see whether the provider is back, and is
// turned to waiting by a webhook before it could call.
func turned(t *testing.T, j *spy) (*executor.Executor, *executor.Handle, *bank) {
	t.Helper()
	var x *executor.Executor
	later := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "7000", OrderID: "o-k", RetryAfter: 10 * time.Minute}}
	b := &bank{sends: []reply{refused}, asks: []reply{paidAsk}}
	x = open(t, newOrders(t), executor.Config{
		Journal: j, Breaker: executor.Breaker{Open: 15 * time.Second},
		NewOrder: func(ctx context.Context, _ *policy.Payment, _ []flow.Identity) (string, error) {
			return "o-2", x.Notify(ctx, later)
		},
	})
	h := begin(t, x, of("acme", payment("k")), b)
	synctest.Wait()
	trip(t, x)
	time.Sleep(20 * time.Second)
	b.wantCalls(t, 1, 0)
	if next := h.State().Next; next.Action != policy.QueryStatus || time.Until(next.At) < 5*time.Minute {
		t.Fatalf("it was not turned to waiting; next: %+v", next)
	}
	return x, h, b
}

// wantOpenDoor checks that another payment is let through.
func wantOpenDoor(t *testing.T, x *executor.Executor) {
	t.Helper()
	start := time.Now()
	r, err := x.Do(within(t, 10*time.Hour), payment("other"), &bank{sends: []reply{paidNow}})
	if err != nil {
		t.Fatalf("another payment: %v", err)
	}
	wantOutcome(t, r, policy.Succeeded)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("another payment was held for %s", took)
	}
}

// The one call that may go and see is not kept by a flow that has something to wait for: all
// others would wait with it.
func TestAFlowThatIsTurnedToWaitingGivesItsPassBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x, h, b := turned(t, newSpy())
		wantOpenDoor(t, x)
		wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

// Nor is it lost with a flow that another process has: half open, a breaker waits for ever.
func TestAFlowThatIsTakenOverGivesItsPassBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var x *executor.Executor
		var losing atomic.Bool
		j := newSpy()
		j.before = func(p *put) error {
			if p.Key.Payment == "k" && losing.Load() {
				return journal.ErrConflict
			}
			return nil
		}
		x = open(t, newOrders(t), executor.Config{
			Journal: j, Breaker: executor.Breaker{Open: 15 * time.Second}, Sweep: 100 * time.Hour,
			NewOrder: func(ctx context.Context, _ *policy.Payment, _ []flow.Identity) (string, error) {
				losing.Store(true)
				if err := x.Notify(ctx, hookOf("k", "7000")); err == nil {
					t.Error("the webhook was written")
				}
				losing.Store(false)
				return "o-2", nil
			},
		})
		begin(t, x, of("acme", payment("k")), &bank{sends: []reply{refused}, asks: []reply{working}})
		synctest.Wait()
		trip(t, x)
		time.Sleep(20 * time.Second)
		wantOpenDoor(t, x)
	})
}

// A client that never returns has no pass for ever either.
func TestACallThatNeverReturnsGivesItsPassBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		defer close(let)
		x := open(t, defaults(), executor.Config{Journal: newSpy(), Breaker: executor.Breaker{Open: time.Second}})
		trip(t, x)
		time.Sleep(5 * time.Second)
		h := begin(t, x, payment("k"), &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{working}})
		time.Sleep(time.Minute)
		if s := h.State(); s.Attempts != 1 || s.Queries == 0 {
			t.Errorf("%d sends and %d queries were made of the flow", s.Attempts, s.Queries)
		}
		wantOpenDoor(t, x)
	})
}

// A webhook ends the flow of a call that never returns. The breaker had let that call through
// as a probe, and gives no result: another call may be the probe.
func TestACallThatNeverReturnsGivesItsPassBackThoughItsFlowHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		defer close(let)
		x := open(t, defaults(), executor.Config{Journal: newSpy(), Breaker: executor.Breaker{Open: time.Second}})
		trip(t, x)
		time.Sleep(5 * time.Second)
		h := begin(t, x, payment("k"), &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{working}})
		time.Sleep(10 * time.Second)
		notify(t, x, hookOf("k", "0"))
		wantOutcome(t, end(t, h, time.Second), policy.Succeeded)
		time.Sleep(time.Minute)
		wantOpenDoor(t, x)
	})
}
