package executor

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// send makes the payment request.
func (r *run) send(ctx context.Context, c *flow.Send) flow.Event {
	a := &Attempt{
		Flow: r.id, Payment: &r.req.Payment, Data: r.req.Data, OrderID: c.Identity.OrderID, RequestID: c.Identity.RequestID,
		ProviderID: c.Identity.ProviderID, Number: c.Attempt, Action: c.Action, Deadline: c.Deadline,
	}
	answer := r.call(ctx, policy.Send, a)
	return flow.Answered{Moment: r.x.moment(), Answer: answer, Attempt: c.Attempt}
}

// ask makes a status query.
func (r *run) ask(ctx context.Context, c *flow.Ask) flow.Event {
	a := &Attempt{
		Flow: r.id, Payment: &r.req.Payment, Data: r.req.Data, OrderID: c.Identity.OrderID, RequestID: c.Identity.RequestID,
		ProviderID: c.Identity.ProviderID, By: c.By, QueryID: r.x.cfg.NewRequestID(&r.req.Payment), Number: c.Query, Deadline: c.Deadline,
	}
	answer := r.call(ctx, policy.Query, a)
	return flow.Queried{Moment: r.x.moment(), Answer: answer, Query: c.Query}
}

// call makes one call and reads what came of it.
func (r *run) call(ctx context.Context, phase policy.Phase, a *Attempt) policy.Answer {
	cctx := &callContext{Context: ctx, deadline: a.Deadline}
	mine := &underWay{ctx: cctx, phase: phase, number: a.Number, deadline: a.Deadline}
	r.mu.Lock()
	mine.over, r.pass = r.pass, nil
	if mine.over == nil {
		mine.over = r.gate.told
	}
	r.calling = mine
	r.mu.Unlock()

	e := CallEvent{Flow: r.id, Payment: &r.req.Payment, Phase: phase, Attempt: a, Start: wallClock()}
	var observed context.Context = cctx
	for _, o := range r.x.cfg.Observers {
		observed = o.Calling(observed, &e)
	}
	e.Reply, e.Err = r.deliver(observed, phase, a)
	cctx.end(context.Canceled)
	e.Answer, e.End = r.read(phase, &e.Reply, e.Err), wallClock()
	for _, o := range r.x.cfg.Observers {
		o.Called(observed, &e)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	over := mine.over
	mine.over = nil
	if r.calling == mine {
		r.calling = nil
	}
	if over != nil {
		r.judge(&e.Answer, over)
	}
	r.last = &AnswerError{Answer: e.Answer, Err: e.Err}
	if s := r.shopperOf(phase, &e); !s.IsZero() && s != r.shopper {
		r.shopper = s
		r.broadcast()
	}
	return e.Answer
}

// deliver hands a call to the client, unless its time is over: a process that was paused
// after it wrote ahead must not send when it wakes. A client that panics may have sent.
func (r *run) deliver(ctx context.Context, phase policy.Phase, a *Attempt) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Flow: r.id, Value: p, Stack: debug.Stack()}
			r.x.trouble(err)
		}
	}()
	switch {
	case ctx.Err() != nil:
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, ctx.Err())
	case phase == policy.Send:
		return r.client.Send(ctx, a)
	}
	return r.client.Query(ctx, a)
}

// read says what an answer is: decoded by the client, by the catalogue, or a fault.
func (r *run) read(phase policy.Phase, reply *Reply, err error) policy.Answer {
	a := policy.Answer{Phase: phase, HTTPStatus: reply.HTTPStatus, RetryAfter: max(0, reply.RetryAfter)}
	switch {
	case err != nil:
		if a.Fault = FaultOf(err); a.Fault == policy.NoFault {
			a.Fault = policy.Reset
		}
	case reply.Answer != nil:
		a = *reply.Answer
		a.Phase, a.Verified = phase, false
		a.HTTPStatus = or(a.HTTPStatus, reply.HTTPStatus)
		a.RetryAfter = max(0, a.RetryAfter, reply.RetryAfter)
	default:
		if err := r.x.rules.Read(&r.req.Payment, reply.Body, &a); err != nil {
			a.Fault = policy.Unreadable
		}
	}
	return a
}

// shopperOf is what the shopper must do next: as the client says, else as the catalogue
// reads it.
func (r *run) shopperOf(phase policy.Phase, e *CallEvent) policy.ShopperAction {
	switch {
	case !e.Reply.Shopper.IsZero():
		return e.Reply.Shopper
	case e.Answer.Fault != policy.NoFault || len(e.Reply.Body) == 0:
		return policy.ShopperAction{}
	}
	return r.x.rules.Shopper(&r.req.Payment, phase, e.Reply.Body)
}

// judge tells budget and breaker how the provider does.
func (r *run) judge(a *policy.Answer, over pass) {
	bad := troubled(r.x.rules.Judge(&r.req.Payment, a).Class)
	if bad {
		over(inTrouble)
	} else {
		over(fine)
	}
	if !bad && a.Fault == policy.NoFault {
		r.bucket.give(r.x.cfg.Budget.Success)
	}
}

// held is how long the breaker keeps a call from being made; 0: it may be made, and is
// reckoned with.
func (r *run) held() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pass != nil {
		return 0
	}
	pass, wait := r.gate.allow()
	r.pass = pass
	return wait + time.Duration(float64(wait)*unit(r.x.cfg.Jitter())/5)
}

// release gives back a call that was let through and will not be made.
func (r *run) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pass != nil {
		r.pass(notMade)
		r.pass = nil
	}
	if r.funded {
		r.funded = false
		r.bucket.give(r.cost())
	}
}
