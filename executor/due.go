package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// handleDue carries out the action of a wait when its time has come, and when budget and breaker
// allow the call.
func (d *driver) handleDue(w *flow.Wait, seq uint32) error {
	r := d.r
	now := r.x.clock.now()
	if now.Before(w.Until) {
		d.until = w.Until
		return errWaiting
	}
	wait, current := r.delayByGuards(w, seq, now)
	switch {
	case !current:
		return nil // an event came meanwhile and planned something else
	case wait > 0:
		d.until = now.Add(wait)
		return errWaiting
	}
	e, err := r.dueEvent(w.Action)
	if err == nil {
		err = d.applyIfCurrent(e, seq)
	}
	if err != nil {
		return d.backOff(err)
	}
	return nil
}

// dueEvent makes the event that ends a wait. If another flow of the payment key knows something
// that forbids a send, it is that instead.
func (r *run) dueEvent(a policy.Action) (flow.Event, error) {
	if !a.Sends() {
		return flow.Due{Moment: r.x.moment()}, nil
	}
	known, err := r.recheckKey()
	now := r.x.moment()
	// After the flow's time the machine sends nothing, so it may end without the key's rows: one
	// that cannot be read would keep it open for ever.
	if known != nil || err != nil && r.timeLeft(now.At) > 0 {
		return known, err
	}
	var e flow.Due
	if a != policy.RetrySame {
		r.newIdentifiers(a, &e)
	}
	e.Moment = now
	if err == nil {
		e.Moment = r.x.moment() // the hooks may have taken their time
	}
	return e, nil
}

// timeLeft is how long the flow may still send.
func (r *run) timeLeft(now time.Time) time.Duration {
	r.mu.Look()
	defer r.mu.Unlock()
	return r.timeLeftLocked(true, now)
}

// timeLeftLocked is how long the flow has: until its limit, and for a send until the caller's own. The
// lock is held.
func (r *run) timeLeftLocked(sends bool, now time.Time) time.Duration {
	left := r.state.Started.Add(r.rules.Terms(&r.state.Payment).Limits.MaxElapsed).Sub(now)
	if notAfter := r.state.NotAfter; sends && !notAfter.IsZero() {
		left = min(left, notAfter.Sub(now))
	}
	return left
}

// firstWaitLocked is how long the breaker delays the first step. After the flow's time nothing delays
// it: the machine ends the flow, and nothing was sent. The lock is held.
func (r *run) firstWaitLocked() time.Duration {
	left := r.timeLeftLocked(true, r.x.clock.now())
	if left <= 0 {
		return 0
	}
	return min(left, r.permitWaitLocked(false, false))
}

// applyIfCurrent applies the end of a wait, unless an event has replaced the wait.
func (d *driver) applyIfCurrent(e flow.Event, seq uint32) error {
	r := d.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plan.seq != seq { // an event came meanwhile and planned something else
		return nil
	}
	if err := r.apply(e); err != nil {
		return err
	}
	if _, sends := r.plan.next.(flow.Send); sends { // its charge is not given back
		r.calls.charged = 0
	}
	d.tries = 0
	return nil
}

// newIdentifiers sets the identifiers of a new identity. An id that was used before is refused:
// the answers of two requests could not be distinguished.
func (r *run) newIdentifiers(a policy.Action, e *flow.Due) {
	r.mu.Lock()
	ledger := r.state.Ledger // a step makes a new one
	r.mu.Unlock()
	used := func(of func(*flow.Identity) string, text string) bool {
		return slices.ContainsFunc(ledger, func(id flow.Identity) bool { return of(&id) == text })
	}
	e.RequestID = r.requestID()
	if e.RequestID == "" || used(func(id *flow.Identity) string { return id.RequestID }, e.RequestID) {
		r.x.reportError(fmt.Errorf("executor: NewRequestID gave flow %s %q once more; a random one is used", r.id, e.RequestID))
		e.RequestID = newRequestID()
	}
	if a != policy.RetryNewOrder || r.x.cfg.NewOrder == nil {
		return
	}
	id, err := patiently(r.x.life, hookPatience, "NewOrder", r.id, func(ctx context.Context) (string, error) {
		return r.x.cfg.NewOrder(ctx, &r.req.Payment, slices.Clone(ledger))
	})
	if err != nil { // without an order id the machine ends the flow as failed
		r.x.reportError(err)
		return
	}
	if used(func(id *flow.Identity) string { return id.OrderID }, id) {
		r.x.reportError(fmt.Errorf("executor: NewOrder gave flow %s order %q once more; there is no new order", r.id, id))
		return
	}
	if err := r.newOrderFree(id); err != nil {
		r.x.reportError(fmt.Errorf("executor: NewOrder gave flow %s an order of another payment, there is no new order: %w", r.id, err))
		return
	}
	e.OrderID = id
}

// newOrderFree returns an error if another payment has an order that the flow is about to use.
func (r *run) newOrderFree(id string) error {
	q := Request{Payment: r.req.Payment, OrderID: id}
	all, n := q.orders()
	for _, o := range all[:n] {
		r.x.mu.Lock()
		other := r.x.byOrder[o]
		r.x.mu.Unlock()
		if other != nil && other.otherPayment(r) {
			return &OrderError{Flow: other.id, OrderID: id}
		}
		if err := r.x.nameFree(r.x.life, r, o); err != nil {
			return err
		}
	}
	return nil
}

// delayByGuards is how long a call that is due has to wait for the budget or the breaker. When
// the flow's time is over they delay it no longer: the flow ends, by a last query if it must, which waits
// for its turn alone.
func (r *run) delayByGuards(w *flow.Wait, seq uint32, now time.Time) (wait time.Duration, current bool) {
	r.mu.Lock()
	if r.plan.seq != seq { // what is granted to a wait that was replaced would be kept from others until the next is over
		r.mu.Unlock()
		return 0, false
	}
	wait = r.guardWaitLocked(w, now)
	by := r.calls.delay
	r.mu.Unlock()
	if wait <= 0 {
		return 0, true
	}
	r.observeHeld(now, by, flow.Wait{Until: now.Add(wait), Action: w.Action, Via: w.Via})
	return wait, true
}

// observeHeld reports to the observers that a call has to wait for the budget, the breaker or a slot.
func (r *run) observeHeld(now time.Time, by delayCause, w flow.Wait) {
	r.observe(func(o Observer) {
		o.Waiting(r.x.forever, &WaitEvent{Flow: r.id, Payment: &r.req.Payment, At: now, Held: by.String(), Wait: w})
	})
}

// guardWaitLocked is how long a call has to wait; 0: it has been granted what it needs, or needs nothing. The lock is
// held.
func (r *run) guardWaitLocked(w *flow.Wait, now time.Time) (wait time.Duration) {
	sends := w.Action.Sends()
	left := r.timeLeftLocked(sends, now)
	switch {
	case left <= 0 && sends || w.Via == flow.ByWebhook:
		return 0
	case !sends && w.Action != policy.QueryStatus:
		return 0
	}
	// The budget comes first: it may be charged while the breaker still refuses, and keeps that.
	if sends {
		if wait = r.chargeLocked(now); wait > 0 {
			r.calls.delay = byBudget
		}
	}
	if wait == 0 {
		wait = r.permitWaitLocked(!sends, left <= 0)
	}
	if left > 0 {
		wait = min(wait, left)
	}
	return wait
}
