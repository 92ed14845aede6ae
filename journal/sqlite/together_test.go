package sqlite

import (
	"context"
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// payer is a provider that pays, and does not look whether it has before.
type payer struct{ sends int }

func (p *payer) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	p.sends++
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

func (p *payer) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000"}}, nil
}

// late is a journal whose first rows wait for what another executor does before.
type late struct {
	*Journal
	before func()
}

func (l *late) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if before := l.before; before != nil && r.Version == 1 {
		l.before = nil
		before()
	}
	return l.Journal.Put(ctx, r, d)
}

// Two executors of one process have one file, and are asked for the same payment at once. Both look before either writes, and the first one to
// write has paid and ended when the other writes: the file refuses that row. It does so while nothing of it is known in memory, too.
func TestTwoExecutorsOnOneFilePayOnce(t *testing.T) {
	rules, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	path := newPath(t)
	for opening := range 3 {
		j := opened(t, path, nil)
		if opening == 2 {
			j.readFile(context.Background())
		}
		gate, bank := &late{Journal: j}, &payer{}
		slow, quick := executorOn(t, rules, gate), executorOn(t, rules, j)
		q := executor.Request{
			Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: fmt.Sprint("cart-", opening), Amount: 120_000, Currency: "VND"},
			OrderID: fmt.Sprint("o-", opening),
		}
		var first *executor.Result
		gate.before = func() {
			if first, err = quick.Do(context.Background(), q, bank); err != nil {
				t.Error(err)
			}
		}
		r, err := slow.Do(context.Background(), q, bank)
		if err != nil || bank.sends != 1 || r.Flow != first.Flow || !r.Repeated {
			t.Errorf("opening %d: it was sent %d times, and the error is %v; want that the other's result is repeated", opening, bank.sends, err)
		}
		for _, x := range []*executor.Executor{slow, quick} {
			if err := x.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func executorOn(t *testing.T, rules executor.Rules, j journal.Journal) *executor.Executor {
	t.Helper()
	x, err := executor.New(rules, &executor.Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
