package scenarios

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
)

// Run makes all payments by executors, one for each journal; nil is an executor without one. A webhook
// comes to any of them.
func Run(t testing.TB, journals ...journal.Journal) []string {
	t.Helper()
	p := NewProvider(t, time.Now, true)
	xs := make([]*executor.Executor, len(journals))
	for i, j := range journals {
		x, err := executor.New(Rules(t), &executor.Config{
			Journal: j, Clients: map[string]executor.Client{"momo": p}, NewOrder: NewOrder, Sweep: 200 * time.Millisecond,
			Breaker: executor.Breaker{Failures: 1 << 20}, Budget: executor.Budget{Tokens: 1 << 20}, // of no concern here
		})
		if err != nil {
			t.Fatal(err)
		}
		xs[i] = x
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	over := make(chan struct{})
	var hooks sync.WaitGroup
	hooks.Go(func() { p.deliver(t, over, xs) })
	requests := Payments()
	lines := make([]string, len(requests))
	var all sync.WaitGroup
	for i, q := range requests {
		all.Go(func() {
			r, err := pay(ctx, xs[i%len(xs)], q, p)
			if err != nil {
				t.Errorf("%s: %v", q.OrderID, err)
				return
			}
			lines[i] = p.Line(&q, r.Outcome)
			if !strings.Contains(outcomes, lines[i]) {
				t.Logf("%s, flow %s: %s\n%s", lines[i], r.Flow, r.Reason, r.Story())
			}
		})
	}
	all.Wait()
	close(over)
	hooks.Wait()
	for _, x := range xs {
		if err := x.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	return lines
}

func pay(ctx context.Context, x *executor.Executor, q executor.Request, c executor.Client) (*executor.Result, error) {
	h, err := x.Start(ctx, q, c)
	if err != nil {
		return nil, err
	}
	return h.Wait(ctx)
}

// deliver hands in webhooks as they come.
func (p *Provider) deliver(t testing.TB, over <-chan struct{}, xs []*executor.Executor) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	n := 0
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		for _, w := range p.Webhooks() {
			n++
			if err := xs[n%len(xs)].Notify(t.Context(), w); err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
				t.Errorf("a webhook: %v", err)
			}
		}
	}
}
