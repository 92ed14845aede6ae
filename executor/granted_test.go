package executor_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// calledBy reports whether a function of this package's executor is among the callers.
func calledBy(name string) bool {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, name) {
			return true
		}
		if !more {
			return false
		}
	}
}

// lookingAt makes an executor whose wall clock calls do once, while a flow whose wait is over looks at the time.
func lookingAt(t *testing.T, rules executor.Rules, c executor.Config, armed *atomic.Bool, do func(*executor.Executor)) *executor.Executor {
	var x *executor.Executor
	c.WallClock = func() time.Time {
		if armed.Load() && calledBy("handleDue") && armed.CompareAndSwap(true, false) {
			do(x)
		}
		return time.Now()
	}
	x = open(t, rules, c)
	return x
}

// A webhook replaces a wait at the moment when that is over. Slot, probe and tokens that the old wait needs are not
// taken for it: they would be kept from other payments until the new wait is over.
func TestAWaitThatWasReplacedIsGrantedNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var armed atomic.Bool
		x := lookingAt(t, defaults(), executor.Config{AtOnce: 1, Budget: executor.Budget{Tokens: 10, Every: 10_000 * time.Hour}}, &armed, func(x *executor.Executor) {
			later := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "7000", OrderID: "o-k", RetryAfter: 10 * time.Minute}}
			if err := x.Notify(context.Background(), later); err != nil {
				t.Error(err)
			}
		})
		b := &bank{sends: []reply{shut, paidNow}, asks: []reply{paidAsk}}
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		if next := h.State().Next; !next.Action.Sends() {
			t.Fatalf("next is %+v", next)
		}
		armed.Store(true)
		time.Sleep(5 * time.Minute)
		if next := h.State().Next; armed.Load() || next.Action != policy.QueryStatus {
			t.Fatalf("the webhook replaced nothing: %+v", next)
		}
		if left := x.BudgetLeft("momo", ""); left < 10 {
			t.Errorf("%.1f tokens are left of 10, and nothing is sent", left)
		}
		start := time.Now()
		wantOutcome(t, carry(t, x, payment("other"), &bank{sends: []reply{paidNow}}), policy.Succeeded)
		if took := time.Since(start); took > time.Second {
			t.Errorf("another payment was held for %s", took)
		}
		wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

// A retry that is not made costs nothing: the rules want a new order, and there is none.
func TestARetryThatIsNotMadeCostsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, c := range map[string]executor.Config{
			"no hook":     {},
			"no order id": {NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) { return "", nil }},
		} {
			c.Budget = executor.Budget{Tokens: 10, Every: 10_000 * time.Hour, Success: 0.01}
			x := open(t, newOrders(t), c)
			r := carry(t, x, of("acme", payment("k")), &bank{sends: []reply{refused}})
			wantOutcome(t, r, policy.Failed)
			if s := r.State(); !s.NewOrderPossible {
				t.Fatalf("%s: %s", name, ended(r))
			}
			if left := x.BudgetLeft("momo", "acme"); left < 10 {
				t.Errorf("%s: %.2f tokens are left of 10", name, left)
			}
		}
	})
}

// Silence earns no tokens, or a provider that answers nothing would pay for its own retries.
func TestSilenceFillsNoBudget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{
			Budget: executor.Budget{Tokens: 20, Every: 100_000 * time.Hour}, Breaker: executor.Breaker{Off: true},
		})
		begin(t, x, payment("spends"), &bank{sends: []reply{shut, working}, asks: []reply{silence}})
		time.Sleep(10 * time.Minute)
		before := x.BudgetLeft("momo", "")
		if before > 17 {
			t.Fatalf("%.1f tokens are left, and a retry was made", before)
		}
		asks := &bank{sends: []reply{silence}, asks: []reply{silence}}
		begin(t, x, payment("k"), asks)
		time.Sleep(3 * time.Hour)
		if _, n := asks.calls(); n < 5 {
			t.Fatalf("%d queries were made", n)
		}
		if left := x.BudgetLeft("momo", ""); left > before+0.1 {
			t.Errorf("%.1f tokens are left, %.1f before the silence", left, before)
		}
	})
}
