package executor_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// paid is a client whose provider answers at once.
type paid struct{ reply executor.Reply }

func (c *paid) Send(context.Context, *executor.Attempt) (executor.Reply, error)  { return c.reply, nil }
func (c *paid) Query(context.Context, *executor.Attempt) (executor.Reply, error) { return c.reply, nil }

func BenchmarkPaidAtOnce(b *testing.B) {
	rules, err := engine.Open("")
	if err != nil {
		b.Fatal(err)
	}
	q := executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, OrderID: "o-1",
	}
	client := &paid{executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0", OrderID: "o-1"}}}
	ctx := context.Background()
	b.Run("bare call", func(b *testing.B) {
		b.ReportAllocs()
		var c executor.Client = client
		for b.Loop() {
			if r, err := c.Send(ctx, nil); err != nil || r.Answer.Code != "0" {
				b.Fatal(r, err)
			}
		}
	})
	for _, keyed := range []bool{false, true} {
		name := "executor"
		if keyed {
			name = "executor, with a payment key"
		}
		b.Run(name, func(b *testing.B) {
			x, err := executor.New(rules, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close(ctx)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if keyed {
					q.Key = strconv.Itoa(n)
				}
				if r, err := x.Do(ctx, q, client); err != nil || r.Outcome != policy.Succeeded {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// A payment costs six allocations, of 5.4 kB. One is the executor's: the run with its first
// call and result (and a sixteenth more: the ids). Five are package flow's: the memory of two steps and
// their commands. Nothing of it is used again for another payment (docs/decisions/0009).
func TestAPaymentAllocatesLittle(t *testing.T) {
	x := open(t, defaults(), executor.Config{})
	q := payment("")
	client := &paid{executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}}
	ctx := context.Background()
	const flows = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range flows {
		if _, err := x.Do(ctx, q, client); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	allocs, bytes := (after.Mallocs-before.Mallocs)/flows, (after.TotalAlloc-before.TotalAlloc)/flows
	if allocs > 6 || bytes > 5600 {
		t.Errorf("%d allocations of %d bytes, want 6 of 5600 at most", allocs, bytes)
	}
}
