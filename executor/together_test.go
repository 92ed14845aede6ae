package executor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Webhooks come at any moment of a call; the race detector looks on.
func TestWebhooksComeAtAnyMoment(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			c := config()
			c.AtOnce = -1 // a webhook about a payment that waits for its first send is refused
			x, err := executor.New(defaults(), &c)
			if err != nil {
				t.Fatal(err)
			}
			say := func(w executor.Webhook) { // what has ended in memory is known no more
				if err := x.Notify(context.Background(), w); err != nil && (c.Journal != nil || !errors.Is(err, executor.ErrUnknownFlow)) {
					t.Errorf("the webhook: %v", err)
				}
			}
			var wg sync.WaitGroup
			for i := range 300 {
				key := fmt.Sprint(i)
				b := &bank{sends: []reply{{answer: policy.Answer{Code: "7000"}, do: func(context.Context, *executor.Attempt) { runtime.Gosched() }}}}
				h := begin(t, x, payment(key), b)
				for range 2 {
					wg.Go(func() {
						for range 3 {
							runtime.Gosched()
							say(hookOf(key, "7000"))
						}
						_ = h.State()
						say(hookOf(key, "0"))
					})
				}
				wg.Go(func() { wantPaid(t, h) })
			}
			wg.Wait()
			if err := shutDown(x); err != nil {
				t.Error(err)
			}
		})
	}
}

func wantPaid(t *testing.T, h *executor.Handle) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if r, err := h.Wait(ctx); err != nil || r.Outcome != policy.Succeeded {
		t.Errorf("%s: %v", ended(r), err)
	}
}

// Webhooks may come between the row that is written ahead and the call, and not be written.
func TestAWebhookBetweenTheRowAndTheCall(t *testing.T) {
	var wg sync.WaitGroup
	j := newSpy()
	x, err := executor.New(defaults(), &executor.Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	j.before = func(p *put) error {
		if n := len(p.state.Evidence); n > 0 && p.state.Evidence[n-1].Phase == policy.Webhook {
			return errBroken
		}
		return nil
	}
	j.after = func(p *put) error {
		if p.state.Stage == flow.Sending {
			for range 4 {
				wg.Go(func() { _ = x.Notify(context.Background(), hook(p.state.Ledger[0].OrderID, "0", true)) })
			}
			for range 50 { // they wait for the flow's lock by now
				runtime.Gosched()
			}
		}
		return nil
	}
	for i := range 300 {
		h := begin(t, x, payment(fmt.Sprint(i)), &bank{sends: []reply{paidNow}})
		wg.Go(func() { wantPaid(t, h) })
	}
	wg.Wait()
	if err := shutDown(x); err != nil {
		t.Error(err)
	}
}

// The last caller has left: nothing more is sent.
func TestTheLastToLeaveWithdraws(t *testing.T) {
	other := payment("k")
	other.Amount++
	for name, joiner := range map[string]executor.Request{"another amount never joined": other, "a joiner left before": payment("k")} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{{after: 10 * time.Second, answer: shut.answer}, paidNow}}
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				got := make(chan error, 1)
				go func() { _, err := x.Do(within(t, 30*time.Second), payment("k"), b); got <- err }()
				time.Sleep(time.Second)
				if _, err := x.Do(within(t, time.Second), joiner, b); err == nil {
					t.Error("joined to an end")
				}
				wantError[*executor.WithdrawnError](t, <-got)
				time.Sleep(27 * time.Hour)
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

// A caller that joined and has more time than the first still gets its payment.
func TestAJoinerWithMoreTimeIsServed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{{after: 10 * time.Second, answer: shut.answer}, paidNow}}
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		go func() { _, _ = x.Do(within(t, 30*time.Second), payment("k"), b) }()
		time.Sleep(time.Second)
		r, err := x.Do(context.Background(), payment("k"), b)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 2, 0)
	})
}

// OnError may use the executor.
func TestOnErrorMayAskTheExecutor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, let := newSpy(), make(chan struct{})
		var x *executor.Executor
		var h atomic.Pointer[executor.Handle]
		var reported atomic.Int64
		hook := &failing{}
		x = open(t, defaults(), executor.Config{
			Journal: j,
			OnError: func(error) {
				if h := h.Load(); h != nil {
					_ = h.State()
				}
				reported.Add(1)
			},
			OnEscalate: func(context.Context, *executor.Result) error { j.kill(true); return hook.call() },
		})
		b := &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{working}}
		h.Store(begin(t, x, payment("k"), b))
		synctest.Wait()
		j.kill(true)
		time.Sleep(time.Minute) // the call hangs, and that cannot be written
		j.kill(false)
		end(t, h.Load(), 27*time.Hour) // it escalates, and the write after OnEscalate fails
		time.Sleep(time.Minute)
		if reported.Load() < 2 || hook.calls() < 1 {
			t.Errorf("OnError called %d times, OnEscalate %d times", reported.Load(), hook.calls())
		}
		j.kill(false)
		close(let)
	})
}

// A flow that waits and one that sends may have one order id, of two merchants.
func TestASendIsFoundBesideAnotherMerchantsWait(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), config())
				begin(t, x, of("one", payment("k")), &bank{sends: []reply{working}, asks: []reply{working}})
				synctest.Wait()
				h := begin(t, x, of("two", payment("k")), &bank{})
				synctest.Wait()
				w := hookOf("k", "0")
				w.Merchant = "two"
				notify(t, x, w)
				wantOutcome(t, end(t, h, 0), policy.Succeeded)
			})
		})
	}
}

// Start does not wait for the breaker, whichever call came first.
func TestStartWaitsForNoBreaker(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := config()
				c.Breaker = executor.Breaker{Failures: 1, Open: 10 * time.Minute}
				x := open(t, defaults(), c)
				_, _ = x.Do(within(t, time.Second), payment("down"), &bank{sends: []reply{shut}})
				start := time.Now()
				for range 2 {
					if _, err := x.Start(within(t, time.Second), payment("k"), &bank{sends: []reply{paidNow}}); err != nil {
						t.Errorf("Start: %v", err)
					}
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}
