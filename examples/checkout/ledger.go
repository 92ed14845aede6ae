package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// backOffice does what a person does with an escalated payment: look it up at the provider, and
// resolve the flow with the result.
func (s *shop) backOffice(ctx context.Context, provider *emulator.Provider, r *executor.Result) (*executor.Result, error) {
	var errs []error
	for _, id := range r.State().Ledger {
		if id.Effect.Settled() {
			continue
		}
		found := policy.NotExecuted
		if slices.ContainsFunc(provider.Ledger(time.Now()), func(x emulator.Execution) bool { return x.RequestID == id.RequestID }) {
			found = policy.Executed
		}
		s.out.printf("%-14s  a person found order %s in the provider's ledger: %s\n", r.State().Payment.Key, id.OrderID, found)
		errs = append(errs, s.x.Resolve(ctx, r.Flow, executor.Resolution{
			OrderID: id.OrderID, RequestID: id.RequestID, Effect: found, Who: "minh", Why: "looked it up in the provider's ledger",
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h, err := s.x.Handle(ctx, r.Flow)
	if err != nil {
		return nil, err
	}
	return h.Wait(ctx)
}

// reconciliation compares the provider's executions with the shop's results.
type reconciliation struct {
	Payments, Succeeded, Failed, Escalated int
	Executions                             int
	Twice, FailedThough, SucceededThough   int
	Foreign                                int // executions without a payment of ours, or with another amount
}

func (b *reconciliation) agrees() bool {
	return b.Twice == 0 && b.FailedThough == 0 && b.SucceededThough == 0 && b.Foreign == 0
}

func compare(results []*executor.Result, executions []emulator.Execution) reconciliation {
	b := reconciliation{Payments: len(results), Executions: len(executions), Foreign: len(executions)}
	for _, r := range results {
		paid := 0
		for _, x := range executions {
			if x.Amount == r.State().Payment.Amount && slices.ContainsFunc(r.State().Ledger, func(id flow.Identity) bool { return id.OrderID == x.OrderID }) {
				paid++
			}
		}
		b.Foreign -= paid
		if paid > 1 {
			b.Twice++
		}
		switch r.Outcome {
		case policy.Succeeded:
			b.Succeeded++
			if paid == 0 {
				b.SucceededThough++
			}
		case policy.Failed:
			b.Failed++
			if paid > 0 {
				b.FailedThough++
			}
		default:
			b.Escalated++
		}
	}
	return b
}

func (b *reconciliation) String() string {
	return fmt.Sprintf(`
%-28s %3d, succeeded %d, failed %d, with a person %d
%-28s %3d executions
%-28s %3d
%-28s %3d
%-28s %3d
%-28s %3d
`, "the shop's payments", b.Payments, b.Succeeded, b.Failed, b.Escalated, "the provider's ledger", b.Executions,
		"charged twice", b.Twice, "failed though executed", b.FailedThough,
		"succeeded though not", b.SucceededThough, "executed, and not ours", b.Foreign)
}
