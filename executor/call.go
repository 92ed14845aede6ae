package executor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/policy"
)

// calls is the call under way, what the next one has been granted, and the last answer. The
// flow's lock guards it.
type calls struct {
	current *call   // has not returned
	permit  permit  // the breaker's and the slot's, for the next call
	of      *gate   // whose permit it is
	place   *ticket // in line for a slot
	charged float64 // to the budget for the next send; 0: nothing yet
	delay   delayCause
	class   policy.Class // of the last decision
	last    *policy.Answer
	lastErr error // of the client, with it
}

// call is one call. The client gets its context and its attempt, and may keep them. The
// goroutine that makes the call writes the outcome; the lock guards permit.
type call struct {
	ctx      callContext
	attempt  Attempt
	payment  policy.Payment // the attempt's own
	phase    policy.Phase
	identity *flow.Identity // read only
	notAfter time.Time      // nothing is sent from then on; zero: no such limit
	permit   permit         // nil: it was settled

	// The outcome:
	answer  policy.Answer
	err     error                 // of the client
	shopper *policy.ShopperAction // nil: nothing to do
	called  bool                  // the client was called
}

// newCall makes the next call the current one. Its payment and data are copies: whatever a client does
// with them, the next attempt sends what was accepted. The lock is held.
func (r *run) newCall(ctx context.Context, phase policy.Phase, id *flow.Identity, deadline time.Time) *call {
	var c *call
	if f := r.firsts; f != nil && f.call.attempt.Number == 0 {
		c = &f.call
	} else {
		c = new(call)
	}
	c.phase, c.identity, c.notAfter = phase, id, r.state.NotAfter
	c.ctx.Context, c.ctx.deadline, c.ctx.clock, c.ctx.offset = ctx, deadline, r.x.clock, r.plan.offset
	c.payment = r.state.Payment
	c.payment.Tags = maps.Clone(c.payment.Tags)
	c.attempt = Attempt{
		Flow: r.id, Payment: &c.payment, Data: bytes.Clone(r.req.Data),
		OrderID: id.OrderID, RequestID: id.RequestID, ProviderID: id.ProviderID, Deadline: deadline,
	}
	g := r.gate(phase == policy.Query)
	if r.calls.permit == nil || r.calls.of != g { // a permit of the other kind would count for the wrong breaker
		r.releasePermitLocked()
		r.calls.permit = g.countOnly
	}
	c.permit, r.calls.permit = r.calls.permit, nil
	r.calls.current = c
	return c
}

// sendPayment makes the payment request.
func (r *run) sendPayment(c *call) flow.Answered {
	r.makeCall(c)
	ofAttempt(&c.answer, c.identity.OrderID, c.identity.RequestID)
	return flow.Answered{Moment: r.x.moment(), Answer: c.answer, Attempt: c.attempt.Number}
}

// ofAttempt names the request that an answer belongs to, if the answer does not. It may come
// late, while another request is under way.
func ofAttempt(a *policy.Answer, orderID, requestID string) {
	if a.Fault == policy.NoFault && a.OrderID == "" && a.RequestID == "" && a.ProviderID == "" {
		a.OrderID, a.RequestID = orderID, requestID
	}
}

// queryStatus makes a status query.
func (r *run) queryStatus(c *call) flow.Queried {
	r.makeCall(c)
	return flow.Queried{Moment: r.x.moment(), Answer: c.answer, Query: c.attempt.Number}
}

// makeCall calls the client and reads what it returns.
func (r *run) makeCall(c *call) {
	var shopper policy.ShopperAction
	if len(r.x.cfg.Observers) > 0 {
		shopper = r.observedCall(c)
	} else {
		var reply Reply
		reply, c.err = r.invokeClient(&c.ctx, c)
		c.answer, shopper = r.x.interpret(&r.req.Payment, c.phase, &reply, c.err)
		c.answer.Message = stored.Text(c.answer.Message)
	}
	c.ctx.end(context.Canceled)
	if !shopper.IsZero() {
		s := shopper // only what is kept goes to the heap
		c.shopper = &s
	}
}

// recordAnswer keeps the answer of a call for errors and callers. The lock is held.
func (r *run) recordAnswer(c *call) {
	r.calls.last, r.calls.lastErr = &c.answer, c.err
	if s := c.shopper; s != nil && *s != r.action() {
		r.shopper = s
		r.waiters.broadcast()
	}
}

// observedCall makes a call between the observers' Calling and Called.
func (r *run) observedCall(c *call) policy.ShopperAction {
	ctx, e := r.observers.calling(&c.ctx, r.x, r.id,
		&CallEvent{Flow: r.id, Payment: &r.req.Payment, Phase: c.phase, Attempt: &c.attempt, Start: r.x.clock.now()})
	e.Reply, e.Err = r.invokeClient(ctx, c)
	answer, shopper := r.x.interpret(&r.req.Payment, c.phase, &e.Reply, e.Err)
	c.answer, c.err = answer, e.Err
	c.answer.Message = stored.Text(answer.Message)
	e.Answer, e.End = answer, r.x.clock.now()
	r.observe(func(o Observer) { o.Called(ctx, e) })
	return shopper
}

// calling calls the observers' Calling, and returns the call's context. If one stalls there is none of
// theirs, and the event is another one: the first is not written to while it may be read.
func (q *queue) calling(ctx context.Context, x *Executor, flow string, e *CallEvent) (context.Context, *CallEvent) {
	theirs := ctx
	if c := q.observe(x, flow, func(o Observer) { theirs = o.Calling(theirs, e) }); c == nil || q.wait(c) {
		return theirs, e
	}
	again := *e
	return ctx, &again
}

// invokeClient hands a call to the client, unless its deadline has passed: a process that was
// paused after the write-ahead must not send when it wakes. A client that panics may have sent.
func (r *run) invokeClient(ctx context.Context, c *call) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Flow: r.id, In: "its client", Value: p, Stack: debug.Stack()}
			r.x.reportError(err)
		}
	}()
	if err := c.ctx.errAt(r.x.cfg.Journal != nil); err != nil {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if notAfter := c.notAfter; c.phase == policy.Send && !notAfter.IsZero() && !r.x.clock.stamp().Before(notAfter) {
		return Reply{}, fmt.Errorf("%w: Request.NotAfter has passed", ErrNotSent)
	}
	c.called = true
	if c.phase == policy.Send {
		reply, err = r.client.Send(ctx, &c.attempt)
	} else {
		reply, err = r.client.Query(ctx, &c.attempt)
	}
	err = sound(err)
	if err != nil && notTried(err) {
		c.called = false
	}
	return reply, c.ctx.inDoubtOnce(err)
}

// notTried reports whether a client says that it did not turn to the provider at all.
func notTried(err error) bool {
	var own interface{ NotTried() bool }
	return errors.Is(err, ErrNotSent) && errors.As(err, &own) && own.NotTried()
}

// interpret makes an answer of what a client returned: the client's own decoding, the
// catalogue's, or a fault. It also says what the shopper must do next; the client's word on
// that comes before the catalogue's.
func (x *Executor) interpret(p *policy.Payment, phase policy.Phase, reply *Reply, err error) (policy.Answer, policy.ShopperAction) {
	if reply.RetryAfter == 0 {
		reply.RetryAfter = saidInHeader(reply.Header)
	}
	if err != nil {
		a := policy.Answer{Phase: phase, HTTPStatus: statusOf(reply.HTTPStatus), RetryAfter: max(0, reply.RetryAfter), Fault: FaultOf(err)}
		if a.Fault == policy.NoFault {
			a.Fault = policy.Reset
		}
		reply.Header = nil
		return a, reply.Shopper
	}
	if own := reply.Answer; own != nil {
		a, shopper := *own, reply.Shopper
		a.Phase, a.Verified = phase, false
		a.HTTPStatus = statusOf(cmp.Or(a.HTTPStatus, reply.HTTPStatus))
		a.RetryAfter = max(0, a.RetryAfter, reply.RetryAfter)
		if shopper.IsZero() && a.Fault == policy.NoFault && len(reply.Body) > 0 {
			_, shopper, _ = x.decode(p, phase, reply.message())
		}
		reply.Header = nil // the catalogue has said nothing of which are fit to be seen
		return a, shopper
	}
	m := reply.message()
	a, shopper, err := x.decode(p, phase, m)
	reply.Header = m.Header
	a.Phase, a.HTTPStatus, a.RetryAfter = phase, statusOf(reply.HTTPStatus), max(0, reply.RetryAfter)
	if err != nil {
		a.Fault = policy.Unreadable
	}
	if !reply.Shopper.IsZero() {
		shopper = reply.Shopper
	}
	return a, shopper
}

// statusOf is a client's HTTP status, or 0 where HTTP has no such one: rules are proved for those that it has.
func statusOf(said int) int {
	if said < 0 || said > 999 {
		return 0
	}
	return said
}

// decode reads a body. One that the rules panic over is unreadable: it comes from outside.
func (x *Executor) decode(p *policy.Payment, phase policy.Phase, m *policy.Message) (a policy.Answer, shopper policy.ShopperAction, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = &PanicError{In: "Rules.Read", Value: bug, Stack: debug.Stack()}
			a, shopper = policy.Answer{}, policy.ShopperAction{}
			go x.reportError(err) // a lock may be held
		}
	}()
	return x.rules.Read(p, phase, m)
}

// settlePermit reports the outcome of a call to budget and breaker, after its answer was applied.
// The lock is held.
func (r *run) settlePermit(c *call) {
	settle := c.permit
	c.permit = nil
	switch {
	case settle == nil: // the call hung, and the sweeper has settled it
	case !c.called:
		settle(callNotMade)
	case r.calls.last != nil && unavailable(r.calls.last, r.calls.class):
		settle(callUnavailable)
	default:
		settle(callAnswered)
		if c.answer.Fault == policy.NoFault { // a provider that is silent earns no retries
			r.bucket.give(r.x.cfg.Budget.Success)
		}
	}
}

// permitWait asks for one of the slots, and asks the breaker unless the flow's time is over. It returns 0
// when the flow has a permit, else how long to wait.
func (r *run) permitWait(query, over bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.permitWaitLocked(query, over)
}

// permitWaitLocked is permitWait with the lock held. A flow that waits for a slot keeps its place until
// it has one, or its wait is over otherwise.
func (r *run) permitWaitLocked(query, over bool) time.Duration {
	g := r.gate(query)
	if r.calls.permit != nil {
		if r.calls.of == g {
			return 0
		}
		r.calls.returnPermit()
	}
	r.calls.of = g
	if t := r.calls.place; t != nil && t.of != g.slots {
		r.calls.leaveLine()
	}
	place, ok := g.slots.take(r.calls.place, unclear(r.state.Ledger), r.waker)
	if r.calls.place = place; !ok {
		r.calls.delay = byLimit
		return lineLook
	}
	r.calls.delay = notDelayed
	if over {
		r.calls.permit = g.slotOnly
		return 0
	}
	p, wait := g.allow()
	r.calls.permit = p
	if wait == 0 {
		return 0
	}
	r.calls.delay = byBreaker
	return wait + time.Duration(float64(wait)*unit(r.x.cfg.Jitter())/5)
}

// unclear reports whether nothing is known of an identity that was sent, not even that it is under way.
func unclear(ledger []flow.Identity) bool {
	return slices.ContainsFunc(ledger, func(id flow.Identity) bool { return id.Sends > 0 && id.Effect == policy.Unknown })
}

// waker wakes the flow's driver.
func (r *run) waker() func() {
	return func() {
		r.mu.Look()
		defer r.mu.Unlock()
		r.plan.wake()
	}
}

// inLine reports whether the flow waits for a slot.
func (r *run) inLine() bool {
	r.mu.Look()
	defer r.mu.Unlock()
	return r.calls.place != nil
}

// leaveLine gives up the place in line. The flow's lock is held.
func (c *calls) leaveLine() {
	c.place.leave()
	c.place = nil
}

// returnPermit gives back the permit of a call that is not made, or the place in line. The flow's lock is held.
func (c *calls) returnPermit() {
	c.leaveLine()
	if c.permit != nil {
		c.permit(callNotMade)
		c.permit = nil
	}
}

// releasePermit gives back what was granted for a call that is not made.
func (r *run) releasePermit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releasePermitLocked()
}

// releasePermitLocked is releasePermit with the lock held.
func (r *run) releasePermitLocked() {
	r.calls.returnPermit()
	if r.calls.charged > 0 {
		r.bucket.give(r.calls.charged) // not what a send costs now: the last answer may be another one
		r.calls.charged = 0
	}
}

// planWait charges the budget when a wait begins that ends with a send, so that the wait for
// tokens and the wait of the rules run together. The lock is held.
func (r *run) planWait(at time.Time, then policy.Action) {
	r.releasePermitLocked() // what was granted before did not happen
	r.calls.delay = notDelayed
	if then.Sends() {
		r.chargeLocked(at)
	}
	r.plan.wake()
}

// chargeLocked charges the budget for the next send, once, or returns how long the tokens take to come
// back. The lock is held.
func (r *run) chargeLocked(at time.Time) (wait time.Duration) {
	if r.calls.charged > 0 {
		return 0
	}
	cost := r.cost()
	if wait = r.bucket.take(cost, at); wait == 0 {
		r.calls.charged = cost
	}
	return wait
}

// cost is what the next send takes from the budget: more, if the last call got no answer. The
// lock is held.
func (r *run) cost() float64 {
	if last := r.calls.last; last != nil && last.Fault != policy.NoFault && last.Fault != policy.NotSent {
		return r.x.cfg.Budget.Timeout
	}
	return r.x.cfg.Budget.Retry
}
