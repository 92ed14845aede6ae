package executor

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// exchange is one call. The client gets its context and its attempt, and may keep them.
type call struct {
	ctx      callContext
	attempt  Attempt
	phase    policy.Phase
	identity *flow.Identity // that it speaks of; not to be written to
	permit   permit         // nil: it was told

	// How it went, until that is taken.
	answer  policy.Answer
	err     error                 // of the client
	shopper *policy.ShopperAction // what the answer says; nil: nothing
	called  bool                  // the client was asked
}

// embark gets the next call on its way, as the plan is now. The lock is held.
func (r *run) newCall(ctx context.Context, phase policy.Phase, id *flow.Identity, deadline time.Time) *call {
	x := &r.firstCall
	if x.attempt.Number != 0 {
		x = new(call)
	}
	x.phase, x.identity = phase, id
	x.ctx.Context, x.ctx.deadline = ctx, deadline
	x.attempt = Attempt{
		Flow: r.id, Payment: &r.req.Payment, Data: r.req.Data,
		OrderID: id.OrderID, RequestID: id.RequestID, ProviderID: id.ProviderID, Deadline: deadline,
	}
	x.permit, r.pass = r.pass, nil
	if x.permit == nil {
		x.permit = r.gate.countOnly
	}
	r.calling = x
	return x
}

// send makes the payment request.
func (r *run) sendPayment(x *call) flow.Event {
	r.makeCall(x)
	ofAttempt(&x.answer, x.identity.OrderID, x.identity.RequestID)
	return flow.Answered{Moment: r.x.moment(), Answer: x.answer, Attempt: x.attempt.Number}
}

// ofAttempt names what an answer speaks of, if it does not say: the request that it answers.
// It may come late, when another one is under way.
func ofAttempt(a *policy.Answer, orderID, requestID string) {
	if a.Fault == policy.NoFault && a.OrderID == "" && a.RequestID == "" && a.ProviderID == "" {
		a.OrderID, a.RequestID = orderID, requestID
	}
}

// ask makes a status query.
func (r *run) queryStatus(x *call) flow.Event {
	r.makeCall(x)
	return flow.Queried{Moment: r.x.moment(), Answer: x.answer, Query: x.attempt.Number}
}

// call makes one call and reads what came of it.
func (r *run) makeCall(x *call) {
	var reply Reply
	if len(r.x.cfg.Observers) > 0 {
		reply, x.err = r.observedCall(x, &x.answer)
	} else {
		reply, x.err = r.invokeClient(&x.ctx, x)
		r.x.interpret(&r.req.Payment, &x.answer, x.phase, &reply, x.err)
	}
	x.ctx.end(context.Canceled)
	x.shopper = r.shopperOf(x.phase, &reply, &x.answer)
}

// returned takes note of what came of a call. The lock is held.
func (r *run) recordAnswer(x *call) {
	r.last, r.lastErr = &x.answer, x.err
	if s := x.shopper; s != nil && *s != r.action() {
		r.shopper = s
		r.broadcast()
	}
}

// watched makes a call that somebody watches.
func (r *run) observedCall(x *call, a *policy.Answer) (Reply, error) {
	e := CallEvent{Flow: r.id, Payment: &r.req.Payment, Phase: x.phase, Attempt: &x.attempt, Start: wallClock()}
	var ctx context.Context = &x.ctx
	r.observe(func(o Observer) { ctx = o.Calling(ctx, &e) })
	e.Reply, e.Err = r.invokeClient(ctx, x)
	r.x.interpret(&r.req.Payment, a, x.phase, &e.Reply, e.Err)
	e.Answer, e.End = *a, wallClock()
	r.observe(func(o Observer) { o.Called(ctx, &e) })
	return e.Reply, e.Err
}

// deliver hands a call to the client, unless its time is over: a process that was paused
// after it wrote ahead must not send when it wakes. A client that panics may have sent.
func (r *run) invokeClient(ctx context.Context, x *call) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Flow: r.id, In: "its client", Value: p, Stack: debug.Stack()}
			r.x.reportError(err)
		}
	}()
	if err := x.ctx.errAt(r.x.cfg.Journal != nil); err != nil {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	x.called = true
	if x.phase == policy.Send {
		return r.client.Send(ctx, &x.attempt)
	}
	return r.client.Query(ctx, &x.attempt)
}

// interpret says what an answer is: decoded by the client, by the catalogue, or a fault.
func (x *Executor) interpret(p *policy.Payment, a *policy.Answer, phase policy.Phase, reply *Reply, err error) {
	if err == nil && reply.Answer != nil {
		*a = *reply.Answer
		a.Phase, a.Verified = phase, false
		a.HTTPStatus = or(a.HTTPStatus, reply.HTTPStatus)
		a.RetryAfter = max(0, a.RetryAfter, reply.RetryAfter)
		return
	}
	*a = policy.Answer{Phase: phase, HTTPStatus: reply.HTTPStatus, RetryAfter: max(0, reply.RetryAfter)}
	if err != nil {
		if a.Fault = FaultOf(err); a.Fault == policy.NoFault {
			a.Fault = policy.Reset
		}
		return
	}
	if err := x.rules.Read(p, reply.Body, a); err != nil {
		a.Fault = policy.Unreadable
	}
}

// shopperOf is what the shopper must do next: as the client says, else as the catalogue
// reads it; nil: nothing.
func (r *run) shopperOf(phase policy.Phase, reply *Reply, a *policy.Answer) *policy.ShopperAction {
	said := reply.Shopper
	if said.IsZero() && a.Fault == policy.NoFault && len(reply.Body) > 0 {
		said = r.x.rules.Shopper(&r.req.Payment, phase, reply.Body)
	}
	if said.IsZero() {
		return nil
	}
	kept := said
	return &kept
}

// fare tells budget and breaker how the provider does, after the answer of a call was taken.
// The lock is held.
func (r *run) settlePermit(x *call) {
	over := x.permit
	x.permit = nil
	switch {
	case over == nil:
	case !x.called:
		over(callNotMade)
	case r.last != nil && unavailable(r.last, r.class):
		over(callUnavailable)
	default:
		over(callAnswered)
		r.bucket.give(r.x.cfg.Budget.Success)
	}
}

// held is how long the breaker keeps a call from being made; 0: it may be made, and is
// reckoned with.
func (r *run) breakerWait() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.breakerWaitLocked()
}

// heldLocked is held with the lock held.
func (r *run) breakerWaitLocked() time.Duration {
	if r.pass != nil {
		return 0
	}
	pass, wait := r.gate.allow()
	r.pass = pass
	if wait == 0 {
		return 0
	}
	return wait + time.Duration(float64(wait)*unit(r.x.cfg.Jitter())/5)
}

// release gives back a call that was let through and will not be made.
func (r *run) releasePermit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releasePermitLocked()
}

// giveBack is release with the lock held.
func (r *run) releasePermitLocked() {
	if r.pass != nil {
		r.pass(callNotMade)
		r.pass = nil
	}
	if r.funded {
		r.funded = false
		r.bucket.give(r.cost())
	}
}
