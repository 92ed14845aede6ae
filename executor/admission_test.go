package executor_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// What is wrong with amount and currency is found before the money moves, all at once.
func TestAmountsAndCurrenciesAreCheckedBeforeASend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x, b := open(t, defaults(), executor.Config{}), &bank{sends: []reply{paidNow}}
		for currency, wrong := range map[string]bool{"VND": false, "": false, "vnd": true, "VN": true, "V1D": true, "VNDX": true, "ZZQ": true, "đồng": true} {
			q := payment(currency)
			q.Currency = currency
			_, err := x.Do(context.Background(), q, b)
			if (err != nil) != wrong || wrong && !strings.Contains(err.Error(), "Request.Currency is") {
				t.Errorf("%q: %v", currency, err)
			}
		}
		b.wantCalls(t, 2, 0)
		for op, wrong := range map[policy.Operation]bool{policy.Pay: true, policy.Checkout: true, policy.Payout: true, policy.Capture: false} {
			q := operation(op, payment("zero"+op.String()))
			q.Amount = 0
			_, err := x.Do(within(t, time.Second), q, b)
			if refused := err != nil && strings.Contains(err.Error(), "Request.Amount is 0"); refused != wrong {
				t.Errorf("%s of 0: %v", op, err)
			}
		}
		q := payment("both")
		q.Amount, q.Currency = -1, "x"
		if _, err := x.Do(context.Background(), q, b); err == nil || !strings.Contains(err.Error(), "Amount is -1") || !strings.Contains(err.Error(), "Currency is") {
			t.Errorf("both: %v", err)
		}
	})
}

// No client is there for flows that another process began. They are reported again and again, and
// end in time: escalated where money may have moved, failed where nothing was sent.
func TestFlowsWithoutAClientEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, Breaker: executor.Breaker{Open: 100 * time.Hour}})
		begin(t, x, payment("doubt"), &bank{sends: []reply{silence}, asks: []reply{working}})
		time.Sleep(time.Second)
		trip(t, x)
		begin(t, x, payment("held"), &bank{})
		_ = shutDown(x)

		var escalated, reported atomic.Int32
		y := open(t, defaults(), executor.Config{
			Journal: j.beside(), Sweep: time.Minute, OnError: func(error) { reported.Add(1) },
			OnEscalate: func(_ context.Context, r *executor.Result) error {
				escalated.Add(1)
				return nil
			},
		})
		if n, err := y.Resume(context.Background()); n != 0 || err == nil {
			t.Fatalf("%d flows go on, %v", n, err)
		}
		time.Sleep(25 * time.Hour)
		if n := reported.Load(); n < 20 || n > 100 || escalated.Load() != 0 {
			t.Errorf("reported %d times in a day, %d escalated", n, escalated.Load())
		}
		time.Sleep(2 * time.Hour)
		for key, want := range map[string]policy.Outcome{"doubt": policy.Escalated, "held": policy.Failed} {
			all := rows(t, j, keyOf(payment(key)))
			if s := decodeState(t, &all[0]); s.Outcome != want {
				t.Errorf("%s is %s %s", key, s.Stage, s.Outcome)
			}
		}
		if escalated.Load() != 1 {
			t.Errorf("%d calls of OnEscalate", escalated.Load())
		}
	})
}
