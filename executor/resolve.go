package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/policy"
)

// Resolution says what became of an identity, by a person, a reconciliation file, or a cancel
// that succeeded.
type Resolution struct {
	OrderID   string // of the identity that it speaks of
	RequestID string // needed where several requests have the order id
	Effect    policy.Effect
	Who, Why  string // both needed, for the evidence

	// Override lets not_executed contradict the proof that the identity executed. The outcome of a flow
	// that succeeded stays, an alert is raised, and the payment key is free: its next request is sent.
	Override bool

	sends int // of the identity, when the first of two persons spoke of it; 0: one person does
}

// ProvedError says that a resolution contradicts the proof that an identity executed.
type ProvedError struct {
	Flow  string
	Proof flow.Evidence // the answer, or the person's word, that proved it; zero: not kept
	Known policy.Effect
}

// Error names the proof.
func (e *ProvedError) Error() string {
	by := "an answer that is not kept"
	switch a := e.Proof.Answer; {
	case e.Proof.Person != "":
		by = fmt.Sprintf("the word of %s at %s", e.Proof.Person, e.Proof.At.Format(time.RFC3339))
	case a != nil:
		by = fmt.Sprintf("the %s at %s, which said %s", e.Proof.Phase, e.Proof.At.Format(time.RFC3339), flow.DescribeAnswer(a))
	}
	return fmt.Sprintf("executor: flow %s: the identity is %s, by %s; Resolution.Override contradicts that", e.Flow, e.Known, by)
}

// Resolve settles one identity of a flow, open or ended.
func (x *Executor) Resolve(ctx context.Context, id string, w Resolution) error {
	return x.resolve(ctx, id, w, 0)
}

// resolve is Resolve of a flow whose row has a version; 0: any.
func (x *Executor) resolve(ctx context.Context, id string, w Resolution, version int64) error {
	if w.Who == "" || w.Why == "" {
		return errors.New("executor: Resolution.Who and Resolution.Why must not be empty")
	}
	if !w.Effect.Settled() {
		return fmt.Errorf("executor: Resolution.Effect is %s; it must be executed or not_executed", w.Effect)
	}
	w.Why = cards.Mask(w.Why) // it stands in the journal for good
	return boundedError(ctx, x, func() error { return x.resolveVersion(ctx, id, w, version) })
}

func (x *Executor) resolveVersion(ctx context.Context, id string, w Resolution, version int64) error {
	var missing error
	err := x.applyOrLeave(ctx, id, w.Override, func(r *run) flow.Event {
		var i int
		if i, missing = r.resolving(&w, version); missing != nil {
			return nil
		}
		return flow.Resolved{Moment: x.moment(), Identity: i, Effect: w.Effect, Who: w.Who, Why: w.Why}
	})
	return errors.Join(missing, err)
}

// resolving is the identity that a resolution speaks of, if it may be done. The lock is held.
func (r *run) resolving(w *Resolution, version int64) (int, error) {
	i, err := r.identity(w.OrderID, w.RequestID)
	if err == nil {
		err = r.unchangedSince(version)
	}
	if err == nil {
		err = r.resent(i, w)
	}
	if err == nil && !w.Override {
		err = r.contradicts(i, w.Effect)
	}
	return i, err
}

// contradicts returns an error if something else is proved of an identity. The lock is held.
func (r *run) contradicts(i int, effect policy.Effect) error {
	known := r.state.Ledger[i].Effect
	if known != policy.Executed || effect != policy.NotExecuted {
		return nil // the other way round nothing is freed, and an alert is raised
	}
	e := &ProvedError{Flow: r.id, Known: known}
	for _, ev := range r.state.Evidence {
		if ev.Identity == i && ev.Fact.Effect == known {
			e.Proof = ev
		}
	}
	return e
}

// identity finds the one that a resolution speaks of. The lock is held.
func (r *run) identity(orderID, requestID string) (int, error) {
	found, n := -1, 0
	for i := range r.state.Ledger {
		if id := &r.state.Ledger[i]; id.OrderID == orderID && (requestID == "" || id.RequestID == requestID) {
			found = i
			n++
		}
	}
	switch n {
	case 0:
		return -1, &unsentError{fmt.Errorf("executor: flow %s sent nothing as order %q, request %q", r.id, orderID, requestID)}
	case 1:
		return found, nil
	}
	return -1, &unsentError{fmt.Errorf("executor: flow %s sent %d requests of order %q; Resolution.RequestID must name one", r.id, n, orderID)}
}

// unsentError refuses a resolution that names no request of its flow, or several.
type unsentError struct{ error }

// applyTo applies an event to a flow, open or ended, in memory or not. event makes it, with the
// flow's lock held, and may be called more than once; nil: there is none.
func (x *Executor) applyTo(ctx context.Context, id string, event func(*run) flow.Event) error {
	return x.applyOrLeave(ctx, id, false, event)
}

// applyOrLeave is applyTo of a person's word, which may override a proof where it is applied: here, or by the process that holds the flow.
func (x *Executor) applyOrLeave(ctx context.Context, id string, override bool, event func(*run) flow.Event) error {
	const tries = 50 // other goroutines may load the same flow from the journal
	var err error
	for range tries {
		r, unpin, failed := x.find(ctx, id)
		if errors.Is(failed, ErrTakenOver) {
			err = failed
			continue
		}
		if failed != nil {
			return failed
		}
		if r.elsewhere {
			err := r.leave(ctx, event, override)
			r.observers.settle()
			return err
		}
		err = r.applyMade(event)
		r.observers.settle()
		if err == nil {
			r.deliverNotices(false)
		}
		unpin()
		if !errors.Is(err, ErrTakenOver) {
			return err
		}
	}
	return err
}

// applyMade applies an event that is made with the lock held; nil: there is none.
func (r *run) applyMade(event func(*run) flow.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := event(r); e != nil {
		return r.apply(e)
	}
	return nil
}
