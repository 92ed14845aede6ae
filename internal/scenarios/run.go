package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Run makes all payments by executors, one for each journal; nil is an executor without one. Each payment is asked for twice
// at once, at two executors where there are as many. A webhook comes to any of them.
func Run(t testing.TB, journals ...journal.Journal) []string {
	t.Helper()
	return run(t, NewProvider(t, time.Now, true), journals...)
}

func run(t testing.TB, p *Provider, journals ...journal.Journal) []string {
	t.Helper()
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
			r, err := pay(ctx, [2]*executor.Executor{xs[i%len(xs)], xs[(i+1)%len(xs)]}, q, p)
			if err != nil {
				t.Errorf("%s: %v", q.OrderID, err)
				return
			}
			if all := p.Mistaken(r.State()); len(all) > 0 {
				t.Errorf("%s, flow %s: it executed, and the flow is certain that it did not: %s\n%s", q.OrderID, r.Flow, all, r.Story())
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

// pay asks for a payment at two executors at once. One flow is made, and its end is the result of both. A payment that fails is
// asked for once: whether a request comes before that or after it, when the key is free again, is a matter of chance.
func pay(ctx context.Context, xs [2]*executor.Executor, q executor.Request, c executor.Client) (*executor.Result, error) {
	var results [2]*executor.Result
	var errs [2]error
	var both sync.WaitGroup
	for i, x := range xs {
		if i > 0 && strings.Contains(outcomes, q.OrderID+" "+policy.Failed.String()) {
			continue
		}
		both.Go(func() {
			h, err := x.Start(ctx, q, c)
			if err == nil {
				results[i], err = h.Wait(ctx)
			}
			errs[i] = err
		})
	}
	both.Wait()
	for i := range xs { // one that comes after an end in doubt is referred to it
		if doubt := (*executor.DoubtError)(nil); errors.As(errs[i], &doubt) && results[1-i] != nil && doubt.Flow == results[1-i].Flow {
			results[i], errs[i] = results[1-i], nil
		}
	}
	a, b := results[0], results[1]
	if err := errors.Join(errs[:]...); err != nil || b == nil {
		return a, err
	}
	if a.Flow != b.Flow || a.Outcome != b.Outcome {
		return a, fmt.Errorf("asked for at two executors at once: flow %s %s, and flow %s %s", a.Flow, a.Outcome, b.Flow, b.Outcome)
	}
	return a, nil
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
