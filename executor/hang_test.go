package executor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A client that does not return when its context is done breaks its promise; the flow goes on
// without it.
func TestAFlowGoesOnWithoutAClientThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		b := &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{working, paidAsk}}
		x := open(t, defaults(), executor.Config{})
		r := end(t, begin(t, x, payment("k"), b), 10*time.Minute)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 1, 2)
		close(let)
		synctest.Wait()
		b.wantCalls(t, 1, 2)
	})
}

// The late answer of a call that hung finds another goroutine at work: it is evidence, and its
// goroutine does nothing more.
func TestACallThatReturnsLateIsNoSecondDriver(t *testing.T) {
	for late := time.Minute; late < 6*time.Minute; late += 7 * time.Second {
		bubble(t, func(t *testing.T) {
			b := &bank{
				sends: []reply{{after: late, deaf: true, answer: policy.Answer{Code: "7000"}}, {after: 20 * time.Second, answer: policy.Answer{Code: "7000"}}},
				asks:  []reply{missing, {after: 20 * time.Second, answer: policy.Answer{Code: "7000"}}, working, working, paidAsk},
			}
			x := open(t, defaults(), executor.Config{})
			r := end(t, begin(t, x, payment("k"), b), time.Hour)
			wantOutcome(t, r, policy.Succeeded)
			b.wantCalls(t, r.State().Attempts, r.State().Queries)
		})
	}
}

// The goroutine of a call that hung leaves, and takes nothing along that the one that goes on
// needs: not its timer either.
func TestACallThatReturnsLateStopsNoClock(t *testing.T) {
	for range 200 {
		bubble(t, func(t *testing.T) {
			b := &bank{
				sends: []reply{{after: 50 * time.Second, deaf: true, answer: policy.Answer{Code: "7000"}}},
				asks:  []reply{working, working, working, working, working, working, paidAsk},
			}
			x := open(t, defaults(), executor.Config{})
			r := end(t, begin(t, x, payment("k"), b), 2*time.Hour)
			wantOutcome(t, r, policy.Succeeded)
		})
	}
}

func TestALateSuccessEndsTheFlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{{after: 2 * time.Minute, deaf: true, answer: policy.Answer{Code: "0"}}}, asks: []reply{working}}
		x := open(t, defaults(), executor.Config{})
		r := end(t, begin(t, x, payment("k"), b), time.Hour)
		wantOutcome(t, r, policy.Succeeded)
		if s, _ := b.calls(); s != 1 {
			t.Errorf("%d sends", s)
		}
	})
}

func TestDoFollowsItsFlowWhenItsOwnCallHung(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{{after: 3 * time.Minute, deaf: true, answer: policy.Answer{Code: "7000"}}}, asks: []reply{paidAsk}}
		r := carry(t, open(t, defaults(), executor.Config{}), payment("k"), b)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

func TestAQueryThatHangsIsAskedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		defer close(let)
		b := &bank{sends: []reply{working}, asks: []reply{{hold: let, deaf: true}, paidAsk}}
		r := end(t, begin(t, open(t, defaults(), executor.Config{}), payment("k"), b), 10*time.Minute)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 1, 2)
	})
}

// A call whose client panics is in doubt: the request may have left, the
// flow asks, and neither the process nor the caller falls with it.
func TestAPanicOfAClientLeavesTheRequestInDoubt(t *testing.T) {
	for _, phase := range []string{"send", "query"} {
		t.Run(phase, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				bug := reply{do: func(context.Context, *executor.Attempt) { panic("a bug of the client's") }}
				b := &bank{sends: []reply{bug}, asks: []reply{paidAsk}}
				if phase == "query" {
					b = &bank{sends: []reply{working}, asks: []reply{bug, paidAsk}}
				}
				var reported atomic.Int64
				x := open(t, defaults(), executor.Config{Journal: newSpy(), OnError: func(err error) {
					if p := (*executor.PanicError)(nil); errors.As(err, &p) && p.Value == "a bug of the client's" {
						reported.Add(1)
					}
				}})
				wantOutcome(t, end(t, begin(t, x, payment("k"), b), time.Hour), policy.Succeeded)
				b.wantCalls(t, 1, len(b.asks))
				if reported.Load() != 1 {
					t.Errorf("OnError got %d panics", reported.Load())
				}
			})
		})
	}
}

// A hook that takes its time is not a call that hangs: nothing is under way yet.
func TestASlowHookIsNoHungCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		asked := 0
		x := open(t, defaults(), executor.Config{
			NewRequestID: func(*policy.Payment) string {
				if asked++; asked == 2 { // of the first query
					time.Sleep(50 * time.Second)
				}
				return fmt.Sprint("r-", asked)
			},
			OnError: func(err error) { t.Error(err) },
		})
		b := &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		q := payment("k")
		q.RequestID = ""
		r := carry(t, x, q, b)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

// The journal takes no row of some flows whose calls hang. The sweeper gives up the hung calls of the others all the
// same.
func TestARowThatStallsKeepsNoOtherHungCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var stalling atomic.Bool
		let := make(chan struct{})
		j := newSpy()
		j.before = func(p *put) error {
			if stalling.Load() && p.Key.Merchant == "stalls" {
				<-let
			}
			return nil
		}
		x := open(t, defaults(), executor.Config{Journal: j})
		for i := range 20 {
			begin(t, x, of("stalls", payment(fmt.Sprint("s", i))), &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{paidAsk}})
		}
		b := &bank{sends: []reply{{hold: let, deaf: true}}, asks: []reply{paidAsk}}
		h := begin(t, x, of("acme", payment("k")), b)
		synctest.Wait()
		stalling.Store(true)
		wantOutcome(t, end(t, h, 10*time.Minute), policy.Succeeded)
		b.wantCalls(t, 1, 1)
		close(let)
	})
}
