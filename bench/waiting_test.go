package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
)

// slow is a provider that takes a payment on, and wants to be asked much later.
type slow struct{ calls atomic.Int64 }

// Send implements [executor.Client].
func (p *slow) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	defer p.calls.Add(1)
	r := said("7000", a)
	r.RetryAfter = 10 * time.Minute
	return r, nil
}

// Query implements [executor.Client].
func (p *slow) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return p.Send(nil, a) //nolint:staticcheck // the context is not used
}

// spent is the processor time that this process has used.
func spent(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// held is the memory that is in use: the heap, and the stacks of goroutines.
func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// begin starts flows, fifty at once, and waits until each has its first answer.
func (p *slow) begin(tb testing.TB, x *executor.Executor, from, to int) {
	tb.Helper()
	each(tb, to-from, 50, func(i int64) error {
		n := int64(from) + i - 1
		_, err := x.Start(context.Background(), executor.Request{OrderID: fmt.Sprint("o-", n), Payment: policy.Payment{
			Provider: "momo", Merchant: "bench", Operation: policy.Pay, Key: fmt.Sprint("k-", n), Amount: 120_000, Currency: "VND",
		}}, p)
		return err
	})
	for int(p.calls.Load()) < to {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the last answers are written
}

// BenchmarkWaiting starts 100,000 flows that wait for minutes. Run it with -benchtime 1x. It
// prints the processor time to start one at the beginning and at the end, and the memory that
// each holds while it waits; and with a journal the processor time to resume all of them.
func BenchmarkWaiting(b *testing.B) {
	for _, kind := range []string{"memory", "sqlite"} {
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				waiting(b, kind, 100_000)
			}
		})
	}
}

func waiting(b *testing.B, kind string, flows int) {
	const few = 20_000
	p := new(slow)
	path := filepath.Join(b.TempDir(), "journal")
	open := func() (executor.Config, func()) {
		if kind == "memory" {
			return executor.Config{}, func() {}
		}
		j, err := sqlite.Open(path, nil)
		if err != nil {
			b.Fatal(err)
		}
		return executor.Config{Journal: journal.Journal(j), Clients: map[string]executor.Client{"momo": p}}, func() {
			if err := j.Close(); err != nil {
				b.Error(err)
			}
		}
	}
	rules, err := ruleset.Open("testdata/rules")
	if err != nil {
		b.Fatal(err)
	}
	c, closeJournal := open()
	before := held()
	x, err := executor.New(rules, &c)
	if err != nil {
		b.Fatal(err)
	}
	p.begin(b, x, 0, 1_000)
	t0 := spent(b)
	p.begin(b, x, 1_000, 1_000+few)
	t1 := spent(b)
	p.begin(b, x, 1_000+few, flows-few)
	t2 := spent(b)
	p.begin(b, x, flows-few, flows)
	t3 := spent(b)
	runtime.GC()
	b.ReportMetric(float64((t1-t0).Microseconds())/few, "first-µs/start")
	b.ReportMetric(float64((t3-t2).Microseconds())/few, "last-µs/start")
	b.ReportMetric(float64(held()-before)/float64(flows), "B/flow")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = x.Close(ctx) // without a journal it says that flows are lost
	closeJournal()
	if kind == "memory" {
		return
	}
	c, closeJournal = open()
	if x, err = executor.New(rules, &c); err != nil {
		b.Fatal(err)
	}
	before = held()
	t4 := spent(b)
	n, err := x.Resume(context.Background())
	time.Sleep(50 * time.Millisecond)
	t5 := spent(b)
	if err != nil || n != flows {
		b.Fatalf("%d flows resumed, %v", n, err)
	}
	b.ReportMetric((t5 - t4).Seconds(), "resume-s")
	b.ReportMetric(float64(held()-before)/float64(flows), "resumed-B/flow")
	if err := x.Close(ctx); err != nil {
		b.Error(err)
	}
	closeJournal()
}
