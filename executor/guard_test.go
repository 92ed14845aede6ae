package executor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// held counts what was held, and by what.
type held struct {
	executor.NoopObserver
	mu sync.Mutex
	by map[string]int
}

func (h *held) Waiting(_ context.Context, w *executor.WaitEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil {
		h.by = map[string]int{}
	}
	if w.Held != "" {
		h.by[w.Held]++
	}
}

func (h *held) count(by string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by[by]
}

func TestRetriesWaitForTheirBudgetAndQueriesDoNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := &held{}
		x := open(t, defaults(), executor.Config{
			Budget:  executor.Budget{Tokens: 10, Every: time.Hour, Success: 0.001},
			Breaker: executor.Breaker{Off: true}, Observers: []executor.Observer{seen},
		})
		var handles []*executor.Handle
		banks := make([]*bank, 4)
		for i := range banks {
			banks[i] = &bank{sends: []reply{shut, paidNow}}
			handles = append(handles, begin(t, x, payment(fmt.Sprint(i)), banks[i]))
		}
		start := time.Now()
		time.Sleep(10 * time.Minute)
		retried := 0
		for _, b := range banks {
			s, _ := b.calls()
			retried += s - 1
		}
		if retried != 2 || seen.count("budget") == 0 {
			t.Errorf("%d retries of a budget of 2, %d were held", retried, seen.count("budget"))
		}
		asking := &bank{sends: []reply{silence}, asks: []reply{working, paidAsk}}
		r := end(t, begin(t, x, payment("asks"), asking), 5*time.Minute)
		wantOutcome(t, r, policy.Succeeded)
		for _, h := range handles {
			wantOutcome(t, end(t, h, 26*time.Hour), policy.Succeeded)
		}
		if took := time.Since(start); took < 9*time.Hour {
			t.Errorf("four retries of 5 tokens took %s", took)
		}
	})
}

func TestSuccessFillsTheBudget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{
			Budget: executor.Budget{Tokens: 10, Every: 1000 * time.Hour}, Breaker: executor.Breaker{Off: true},
		})
		for i := range 2 {
			wantOutcome(t, carry(t, x, payment(fmt.Sprint("spends", i)), &bank{sends: []reply{shut, paidNow}}), policy.Succeeded)
		}
		h := begin(t, x, payment("k"), &bank{sends: []reply{shut, paidNow}})
		for i := range 10 {
			wantOutcome(t, carry(t, x, payment(fmt.Sprint(i)), &bank{sends: []reply{paidNow}}), policy.Succeeded)
		}
		wantOutcome(t, end(t, h, 2*time.Hour), policy.Succeeded)
	})
}

// Observers see what holds the first send, too: of Start, and of Do.
func TestObserversSeeWhatHoldsTheFirstSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := &held{}
		x := open(t, newOrders(t), executor.Config{Journal: newSpy(), Breaker: executor.Breaker{Open: time.Hour}, Observers: []executor.Observer{seen}})
		trip(t, x)
		before := seen.count("breaker")
		h := begin(t, x, payment("started"), &bank{sends: []reply{paidNow}})
		time.Sleep(time.Second)
		started := seen.count("breaker") - before
		if _, err := x.Do(within(t, time.Minute), payment("done"), &bank{sends: []reply{paidNow}}); err == nil {
			t.Fatal("the breaker let it through")
		}
		if done := seen.count("breaker") - before - started; started == 0 || done == 0 {
			t.Errorf("the observers saw the first send of Start held %d times, that of Do %d times", started, done)
		}
		wantOutcome(t, end(t, h, 4*time.Hour), policy.Succeeded)
	})
}

// Neither guard ends a flow that is in doubt, nor fails one.
func TestGuardsNeverFailAFlowInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{
			Journal: newSpy(), Budget: executor.Budget{Tokens: 10, Every: 10_000 * time.Hour},
			Breaker: executor.Breaker{Failures: 1, Open: 1000 * time.Hour},
		})
		b := &bank{sends: []reply{silence}, asks: []reply{silence}}
		start := time.Now()
		r := carry(t, x, payment("k"), b)
		wantOutcome(t, r, policy.Escalated)
		if took := time.Since(start); took > 27*time.Hour {
			t.Errorf("it took %s", took)
		}
	})
}

// untried is the error of a client that did not turn to the provider.
type untried struct{}

func (untried) Error() string  { return "the client's own queue is full" }
func (untried) Unwrap() error  { return executor.ErrNotSent }
func (untried) NotTried() bool { return true }

// What a client did not try says nothing about the provider, so it opens no breaker; a dial that failed does.
func TestTheBreakerDoesNotCountWhatWasNotTried(t *testing.T) {
	for _, c := range []struct {
		err   error
		opens bool
	}{{untried{}, false}, {executor.ErrNotSent, true}} {
		bubble(t, func(t *testing.T) {
			x := open(t, defaults(), executor.Config{Breaker: executor.Breaker{Failures: 3, Open: time.Hour}, Budget: executor.Budget{Off: true}})
			idle := &bank{sends: []reply{{err: c.err}}}
			for i := range 5 {
				_, _ = x.Do(within(t, time.Second), payment(fmt.Sprint("idle", i)), idle)
			}
			if _, err := x.Do(within(t, time.Second), payment("k"), &bank{sends: []reply{paidNow}}); (err != nil) != c.opens {
				t.Errorf("after five calls with %q the next one ends with %v", c.err, err)
			}
		})
	}
}

func TestTheBreakerOpensProbesAndCloses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), Breaker: executor.Breaker{Failures: 3, Open: time.Minute}})
		down := &bank{sends: []reply{shut}}
		for i := range 3 {
			q := payment(fmt.Sprint("down", i))
			_, _ = x.Do(within(t, time.Second), q, down)
		}
		down.wantCalls(t, 3, 0)
		short := &bank{sends: []reply{paidNow}}
		_, err := x.Do(within(t, time.Second), payment("short"), short)
		if err == nil || errors.As(err, new(*executor.PendingError)) {
			t.Errorf("nothing was sent, and the error is %v", err)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		short.wantCalls(t, 0, 0)
		refund := payment("k")
		refund.Operation = policy.Refund
		wantOutcome(t, carry(t, x, refund, short), policy.Succeeded) // another operation

		slow := &bank{sends: []reply{{after: 10 * time.Second, answer: policy.Answer{Code: "0"}}}}
		var handles []*executor.Handle
		start := time.Now()
		for i := range 4 {
			handles = append(handles, begin(t, x, payment(fmt.Sprint("up", i)), slow))
		}
		synctest.Wait()
		slow.wantCalls(t, 0, 0)
		time.Sleep(75 * time.Second)
		slow.wantCalls(t, 1, 0) // one goes to see
		for _, h := range handles {
			wantOutcome(t, end(t, h, 10*time.Minute), policy.Succeeded)
		}
		if took := time.Since(start); took < time.Minute {
			t.Errorf("it opened after %s", took)
		}
		wantOutcome(t, carry(t, x, payment("short"), short), policy.Succeeded) // the key is free
	})
}

// What Start accepts while the breaker is open is in the journal, and outlives the process.
func TestAFlowIsAcceptedWhileTheBreakerIsOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		breaker := executor.Breaker{Failures: 1, Open: 10 * time.Minute}
		x := open(t, defaults(), executor.Config{Journal: j, Breaker: breaker})
		_, _ = x.Do(within(t, time.Second), payment("down"), &bank{sends: []reply{shut}})
		b := &bank{sends: []reply{paidNow}}
		h := begin(t, x, payment("k"), b)
		row, s := standing(t, j, h.Flow())
		if !row.Open || s.Stage != flow.New || j.list()[len(j.list())-1].durability != 0 {
			t.Errorf("the journal has %+v", row)
		}
		if err := shutDown(x); err != nil {
			t.Fatal(err)
		}
		b.wantCalls(t, 0, 0)
		y := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if n, err := y.Resume(context.Background()); n != 1 || err != nil {
			t.Errorf("%d flows go on, %v", n, err)
		}
		again, err := y.Handle(context.Background(), h.Flow())
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, end(t, again, time.Minute), policy.Succeeded)
		b.wantCalls(t, 1, 0)
	})
}

func TestAnAcceptedFlowThatIsWithdrawnNeverBegins(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := config()
				c.Breaker = executor.Breaker{Failures: 1, Open: 10 * time.Minute}
				c.OnError = func(err error) { t.Errorf("OnError got %v", err) }
				x := open(t, defaults(), c)
				_, _ = x.Do(within(t, time.Second), payment("down"), &bank{sends: []reply{shut}})
				b := &bank{sends: []reply{paidNow}}
				h := begin(t, x, payment("k"), b)
				synctest.Wait()
				if err := h.Withdraw("not wanted"); err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, end(t, h, 0), policy.Failed)
				time.Sleep(time.Hour)
				b.wantCalls(t, 0, 0)
			})
		})
	}
}

// A provider that never comes back: every flow ends in its time, accepted ones too.
func TestEverythingEndsThoughTheBreakerNeverCloses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), Sweep: time.Hour, Breaker: executor.Breaker{Failures: 2, Open: time.Minute}})
		var handles []*executor.Handle
		for i := range 40 {
			send := shut
			if i%2 == 1 {
				send = silence
			}
			handles = append(handles, begin(t, x, payment(fmt.Sprint(i)), &bank{sends: []reply{send}, asks: []reply{code("10")}}))
			time.Sleep(time.Second)
		}
		for i, h := range handles {
			r := end(t, h, 30*time.Hour)
			if i%2 == 0 && r.Outcome != policy.Failed || i%2 == 1 && r.Outcome != policy.Escalated && r.State().Attempts > 0 {
				t.Errorf("flow %d: %s", i, ended(r))
			}
		}
	})
}

// The one call that an open breaker lets through to see is not kept by a flow that waits for
// its budget.
func TestABudgetThatIsEmptyHoldsNoProbe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{
			Budget:  executor.Budget{Tokens: 10, Every: 10 * time.Hour},
			Breaker: executor.Breaker{Failures: 3, Open: 30 * time.Second},
		})
		for i := range 3 { // two of them take what there is; the breaker opens
			begin(t, x, payment(fmt.Sprint(i)), &bank{sends: []reply{shut}})
		}
		time.Sleep(3 * time.Minute)
		r := end(t, begin(t, x, payment("k"), &bank{sends: []reply{paidNow}}), 10*time.Minute)
		wantOutcome(t, r, policy.Succeeded)
	})
}
