package executor

import (
	"bytes"
	"context"
	"errors"
	"maps"

	"github.com/recourse-pay/recourse/policy"
)

// Make makes this one call by a client and reads what it returns, as an executor does: for a driver other than this
// package, such as durable/temporal. [Call] and [Once] work in it. The request is not made after Deadline, by the
// machine's clock. The error is the client's, and what it proves stands in the answer as its fault.
//
// Make stores nothing. A driver writes ahead before it calls Make of a send, and calls it at most once for each attempt
// of a flow, in all its processes.
func (a *Attempt) Make(ctx context.Context, rules Rules, c Client, phase policy.Phase) (policy.Answer, policy.ShopperAction, error) {
	if a.Payment == nil || c == nil || rules == nil || a.Deadline.IsZero() {
		return policy.Answer{Phase: phase, Fault: policy.NotSent}, policy.ShopperAction{}, errors.New("executor: Attempt.Make needs rules, a client, a payment and a deadline")
	}
	x := &Executor{rules: rules, clock: newClock(nil)}
	r := &run{x: x, id: a.Flow, client: c, req: Request{Payment: *a.Payment}}
	made := &call{phase: phase, attempt: *a, payment: *a.Payment}
	made.payment.Tags = maps.Clone(a.Payment.Tags)
	made.attempt.Payment, made.attempt.Data = &made.payment, bytes.Clone(a.Data)
	made.ctx.Context, made.ctx.deadline, made.ctx.clock = ctx, a.Deadline, x.clock
	if made.ctx.errAt(true) != nil { // before the client is asked
		return policy.Answer{Phase: phase, Fault: policy.NotSent}, policy.ShopperAction{}, ErrNotSent
	}
	r.makeCall(made)
	if phase == policy.Send {
		ofAttempt(&made.answer, a.OrderID, a.RequestID)
	}
	if made.shopper == nil {
		return made.answer, policy.ShopperAction{}, made.err
	}
	return made.answer, *made.shopper, made.err
}
