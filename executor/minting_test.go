package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

func TestRetryNewOrderNeedsItsHook(t *testing.T) {
	rules := newOrders(t)
	mint := func(id string, err error) func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
		return func(_ context.Context, p *policy.Payment, ledger []flow.Identity) (string, error) {
			if p.Key != "k" || len(ledger) != 1 || ledger[0].Effect != policy.NotExecuted {
				t.Errorf("asked with %+v, %+v", p, ledger)
			}
			return id, err
		}
	}
	tests := []struct {
		name  string
		mint  func(context.Context, *policy.Payment, []flow.Identity) (string, error)
		sends int
	}{
		{"minted", mint("o-2", nil), 2},
		{"no hook", nil, 1},
		{"an empty one", mint("", nil), 1},
		{"an error", mint("o-2", errors.New("no more numbers")), 1},
		{"the old one", mint("o-k", nil), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{refused, paidNow}}
				x := open(t, rules, executor.Config{Journal: newSpy(), NewOrder: tt.mint})
				r := end(t, begin(t, x, of("acme", payment("k")), b), 27*time.Hour)
				b.wantCalls(t, tt.sends, 0)
				if minted := tt.sends == 2; minted != (r.Outcome == policy.Succeeded) || minted == r.State().NewOrderPossible {
					t.Errorf("%s, new order possible: %v", ended(r), r.State().NewOrderPossible)
				}
			})
		})
	}
}

// A new request id that is not new would make the provider take the request for an old one.
func TestARequestIDIsNeverUsedTwice(t *testing.T) {
	for name, id := range map[string]string{"of a query": "fixed", "the first one": "r-k", "none": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{shut}}
				var reported atomic.Int64
				x := open(t, defaults(), executor.Config{
					Journal: newSpy(), OnError: func(error) { reported.Add(1) },
					NewRequestID: func(*policy.Payment) string { return id },
				})
				r := end(t, begin(t, x, payment("k"), b), 27*time.Hour)
				wantOutcome(t, r, policy.Failed)
				if n := reported.Load(); n == 0 || n > 10 {
					t.Errorf("OnError was called %d times", n)
				}
				seen := map[string]bool{}
				for _, c := range b.sent {
					if seen[c.RequestID] || c.RequestID == "" {
						t.Errorf("request id %q of send %d", c.RequestID, c.Number)
					}
					seen[c.RequestID] = true
				}
			})
		})
	}
}

// failing fails a few times, and counts.
type failing struct {
	failures int64
	count    atomic.Int64
}

func (f *failing) calls() int64 { return f.count.Load() }

func (f *failing) call() error {
	if n := f.count.Add(1); n <= f.failures {
		return fmt.Errorf("failure %d of the hook", n)
	}
	return nil
}

func TestOnEscalateIsCalledUntilItReturnsNil(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				hook := &failing{failures: 3}
				var errs atomic.Int64
				c := config()
				c.OnEscalate = func(context.Context, *executor.Result) error { return hook.call() }
				c.OnError = func(err error) {
					if strings.Contains(err.Error(), "of the hook") {
						errs.Add(1)
					}
				}
				x := open(t, defaults(), c)
				wantOutcome(t, carry(t, x, payment("k"), &bank{asks: []reply{working}}), policy.Escalated)
				time.Sleep(10 * time.Minute)
				if hook.calls() != 4 || errs.Load() != 3 {
					t.Errorf("called %d times, %d errors were reported", hook.calls(), errs.Load())
				}
			})
		})
	}
}

func TestOnEscalateIsCalledByTheNextProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, first, second := newSpy(), &failing{failures: 1000}, &failing{}
		x := open(t, defaults(), executor.Config{Journal: j, OnEscalate: func(context.Context, *executor.Result) error { return first.call() }})
		r := carry(t, x, payment("k"), &bank{asks: []reply{working}})
		if err := shutDown(x); err != nil {
			t.Fatal(err)
		}
		y := open(t, defaults(), executor.Config{Journal: j, OnEscalate: func(_ context.Context, got *executor.Result) error {
			if got.Flow != r.Flow || got.Outcome != policy.Escalated || len(got.State().Evidence) == 0 {
				t.Errorf("NewOrder got %+v", got)
			}
			return second.call()
		}})
		if n, err := y.Resume(context.Background()); n != 0 || err != nil {
			t.Errorf("%d flows go on, %v", n, err)
		}
		time.Sleep(time.Hour)
		if first.calls() == 0 || second.calls() != 1 {
			t.Errorf("%d and %d calls", first.calls(), second.calls())
		}
	})
}

func TestOnAlertIsCalledUntilItReturnsNil(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hook, j := &failing{failures: 3}, newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, OnAlert: func(context.Context, *executor.Alert) error { return hook.call() }})
		r := carry(t, x, payment("k"), &bank{sends: []reply{refused}})
		notify(t, x, hookOf("k", "0"))
		time.Sleep(time.Hour)
		if row, _ := standing(t, j, r.Flow); hook.calls() != 4 || row.Due.Year() < 9999 { // its key must not be forgotten
			t.Errorf("called %d times; due %s", hook.calls(), row.Due)
		}
	})
}

// hookOf is a verified webhook about a payment's order.
func hookOf(key, said string) executor.Webhook { return hook("o-"+key, said, true) }

// A hook that does not return does not delay other flows.
func TestAHookThatBlocksHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		var calls atomic.Int64
		x := open(t, defaults(), executor.Config{Journal: newSpy(), OnEscalate: func(context.Context, *executor.Result) error {
			if calls.Add(1) == 1 {
				return errors.New("busy")
			}
			<-let
			return nil
		}})
		wantOutcome(t, carry(t, x, payment("k"), &bank{asks: []reply{working}}), policy.Escalated)
		time.Sleep(5 * time.Minute) // it is called again, and blocks
		hang := make(chan struct{})
		b := &bank{sends: []reply{{hold: hang, deaf: true}}, asks: []reply{paidAsk}}
		h := begin(t, x, payment("l"), b)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if _, err := h.Wait(ctx); err != nil {
			t.Errorf("a call that hangs is not noticed any more: %v", err)
		}
		close(let)
		close(hang)
		synctest.Wait()
	})
}

// A webhook that comes while an order is being minted changes what is to be done, and when.
func TestAWaitThatWasReplacedIsNotCarriedOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var x *executor.Executor
		b := &bank{sends: []reply{refused}, asks: []reply{working, paidAsk}}
		x = open(t, newOrders(t), executor.Config{Journal: newSpy(), NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			w := hookOf("k", "7000") // it goes on after all
			return "o-2", x.Notify(context.Background(), w)
		}})
		wantOutcome(t, carry(t, x, of("acme", payment("k")), b), policy.Succeeded)
		b.wantCalls(t, 1, 2)
		if waited := b.asked[0].at.Sub(b.sent[0].at); waited != 3*time.Second {
			t.Errorf("it asked after %s", waited)
		}
	})
}
