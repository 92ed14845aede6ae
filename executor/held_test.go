//go:build !race

package executor_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// sink is a journal that keeps nothing, to measure what the executor does.
type sink struct{ journal.Journal }

func (sink) Put(context.Context, *journal.Row, journal.Durability) error { return nil }

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// After an outage of a day thousands of flows escalate, and the hook that takes them fails too. What is kept of each
// until it works again is little, though each has hundreds of answers; the evidence is whole.
func TestEscalatedFlowsThatAreHeldTakeLittleMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		flows := testkit.Size(150, 400, 20_000)
		var works atomic.Bool
		var taken, evidence, entries atomic.Int64
		x := open(t, defaults(), executor.Config{Journal: sink{journal.NewMemory()}, OnEscalate: func(_ context.Context, r *executor.Result) error {
			if !works.Load() {
				return errBroken
			}
			taken.Add(1)
			evidence.Store(int64(len(r.State().Evidence)))
			entries.Store(int64(len(r.Trace())))
			return nil
		}})
		before := heap()
		b := &paid{executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000", RetryAfter: 15 * time.Minute}}}
		for i := range flows {
			begin(t, x, payment(fmt.Sprint(i)), b)
		}
		synctest.Wait()
		for range 48 {
			time.Sleep(time.Hour)
			if s, err := x.Stats(context.Background()); err != nil || s.Notices == flows {
				break
			}
		}
		time.Sleep(5 * time.Minute)
		const own = 100 << 10 // of the executor, whatever it holds
		each := (heap() - before - own) / int64(flows)
		t.Logf("%d bytes of each of %d flows", each, flows)
		if each > 5000 {
			t.Errorf("%d bytes are held of each escalated flow, want 5000 at most", each)
		}
		works.Store(true)
		time.Sleep(5 * time.Minute)
		if taken.Load() != int64(flows) || evidence.Load() != 16 || entries.Load() < 4 {
			t.Errorf("%d of %d flows were taken, with %d pieces of evidence and a trace of %d", taken.Load(), flows, evidence.Load(), entries.Load())
		}
	})
}
