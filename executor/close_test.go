package executor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

func TestCloseWaitsForCallsUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		b := &bank{sends: []reply{{after: 10 * time.Second, answer: policy.Answer{Code: "0"}, deaf: true}}}
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		start := time.Now()
		if err := x.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if _, s := standing(t, j, h.Flow()); s.Outcome != policy.Succeeded {
			t.Errorf("the answer was lost: %s %s", s.Stage, s.Outcome)
		}
	})
}

func TestCloseGivesUpWhenItsContextIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		let := make(chan struct{})
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		begin(t, x, payment("k"), &bank{sends: []reply{{hold: let, deaf: true}}})
		synctest.Wait()
		if err := x.Close(within(t, time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		close(let)
	})
}

func TestNothingBeginsAfterClose(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				x := open(t, defaults(), config())
				h := begin(t, x, payment("k"), b)
				synctest.Wait()
				if err := shutDown(x); (err != nil) != (name == "in memory") {
					t.Errorf("Close: %v", err)
				}
				ctx := context.Background()
				for _, q := range []executor.Request{payment("k"), payment("l")} {
					if _, err := x.Do(ctx, q, b); !errors.Is(err, executor.ErrClosed) {
						t.Errorf("Do: %v", err)
					}
					if _, err := x.Start(ctx, q, b); !errors.Is(err, executor.ErrClosed) {
						t.Errorf("Start: %v", err)
					}
				}
				if _, err := h.Wait(ctx); !errors.Is(err, executor.ErrClosed) {
					t.Errorf("Wait: %v", err)
				}
				if err := x.Notify(ctx, hookOf("k", "0")); name == "in memory" && !errors.Is(err, executor.ErrClosed) {
					t.Errorf("the webhook is lost, and Notify says %v", err)
				}
				if n, err := x.Resume(ctx); n > 0 {
					t.Errorf("%d flows go on (%v)", n, err)
				}
				time.Sleep(time.Hour)
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

// All callers that wait in Do get the error that the executor closes.
func TestCloseWakesAllWaiters(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{shut}}
			x := open(t, defaults(), executor.Config{Journal: newSpy(), Breaker: executor.Breaker{Off: true}})
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					_, err := x.Do(context.Background(), payment(fmt.Sprint(i)), b)
					if pending := (*executor.PendingError)(nil); !errors.As(err, &pending) || !errors.Is(err, executor.ErrClosed) {
						t.Errorf("Do: %v", err)
					}
				})
			}
			synctest.Wait()
			start := time.Now()
			if err := x.Close(within(t, 30*time.Second)); err != nil {
				t.Errorf("Close: %v", err)
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("it took %s", took)
			}
			wg.Wait()
		})
	}
}

// quiet is the number of goroutines once it is no more than want, or at last.
func quiet(want int) int {
	for range 100_000 {
		if n := runtime.NumGoroutine(); n <= want {
			return n
		}
		runtime.Gosched()
	}
	return runtime.NumGoroutine()
}

func TestManyFlowsAreOpenAtOnce(t *testing.T) {
	flows := testkit.Size(1000, 10_000, 10_000)
	before := runtime.NumGoroutine()
	b := &bank{sends: []reply{working}, asks: []reply{working}}
	x, err := executor.New(defaults(), &executor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	empty := memory()
	handles := make([]*executor.Handle, flows)
	for i := range handles {
		q := payment(fmt.Sprint(i))
		q.Key = ""
		handles[i] = begin(t, x, q, b)
	}
	for _, h := range handles {
		for h.State().Next.At.IsZero() {
			runtime.Gosched()
		}
	}
	t.Logf("%d bytes for each open flow", (memory()-empty)/uint64(flows))
	for i := range handles {
		notify(t, x, hookOf(fmt.Sprint(i), "0"))
	}
	for _, h := range handles {
		wantOutcome(t, end(t, h, time.Minute), policy.Succeeded)
	}
	if err := x.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if n := quiet(before); n > before {
		t.Errorf("%d goroutines are left of %d", n, before)
	}
}

// memory is what heap and stacks take.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
