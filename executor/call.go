package executor

import (
	"cmp"
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
	var shopper policy.ShopperAction
	if len(r.x.cfg.Observers) > 0 {
		shopper = r.observedCall(x)
	} else {
		var reply Reply
		reply, x.err = r.invokeClient(&x.ctx, x)
		x.answer, shopper = r.x.interpret(&r.req.Payment, x.phase, &reply, x.err)
	}
	x.ctx.end(context.Canceled)
	if !shopper.IsZero() {
		s := shopper // only what is kept goes to the heap
		x.shopper = &s
	}
}

// returned takes note of what came of a call. The lock is held.
func (r *run) recordAnswer(x *call) {
	r.last, r.lastErr = &x.answer, x.err
	if s := x.shopper; s != nil && *s != r.action() {
		r.shopper = s
		r.broadcast()
	}
}

// observedCall makes a call between the observers' Calling and Called.
func (r *run) observedCall(x *call) policy.ShopperAction {
	e := CallEvent{Flow: r.id, Payment: &r.req.Payment, Phase: x.phase, Attempt: &x.attempt, Start: wallClock()}
	var ctx context.Context = &x.ctx
	r.observe(func(o Observer) { ctx = o.Calling(ctx, &e) })
	e.Reply, e.Err = r.invokeClient(ctx, x)
	answer, shopper := r.x.interpret(&r.req.Payment, x.phase, &e.Reply, e.Err)
	x.answer, x.err = answer, e.Err
	e.Answer, e.End = answer, wallClock()
	r.observe(func(o Observer) { o.Called(ctx, &e) })
	return shopper
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

// interpret makes an answer of what a client returned: the client's own decoding, the
// catalogue's, or a fault. It also says what the shopper must do next; the client's word on
// that comes before the catalogue's.
func (x *Executor) interpret(p *policy.Payment, phase policy.Phase, reply *Reply, err error) (policy.Answer, policy.ShopperAction) {
	if err != nil {
		a := policy.Answer{Phase: phase, HTTPStatus: reply.HTTPStatus, RetryAfter: max(0, reply.RetryAfter), Fault: FaultOf(err)}
		if a.Fault == policy.NoFault {
			a.Fault = policy.Reset
		}
		return a, reply.Shopper
	}
	if own := reply.Answer; own != nil {
		a, shopper := *own, reply.Shopper
		a.Phase, a.Verified = phase, false
		a.HTTPStatus = cmp.Or(a.HTTPStatus, reply.HTTPStatus)
		a.RetryAfter = max(0, a.RetryAfter, reply.RetryAfter)
		if shopper.IsZero() && a.Fault == policy.NoFault && len(reply.Body) > 0 {
			_, shopper, _ = x.rules.Read(p, phase, reply.Body)
		}
		return a, shopper
	}
	a, shopper, err := x.rules.Read(p, phase, reply.Body)
	a.Phase, a.HTTPStatus, a.RetryAfter = phase, reply.HTTPStatus, max(0, reply.RetryAfter)
	if err != nil {
		a.Fault = policy.Unreadable
	}
	if !reply.Shopper.IsZero() {
		shopper = reply.Shopper
	}
	return a, shopper
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
