package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// drive carries a flow on: to its end (nil), or until ctx is over, or would be before there
// is anything to do. It is backoff's loop; what it waits by is what the flow decided.
func (r *run) drive(ctx context.Context) error {
	p := &r.pace
	r.mu.Lock()
	if r.driver != nil { // which may still be looking at its own
		p = new(pace)
	}
	p.r, p.ctx = r, ctx
	r.driver = p
	r.mu.Unlock()
	_, err := p.proceed()
	if err == nil { // most flows end without a wait
		return nil
	}
	if permanent := (*backoff.PermanentError)(nil); errors.As(err, &permanent) {
		return permanent.Err
	}
	sleep := new(sleeper)
	r.mu.Lock()
	p.sleep = sleep
	r.mu.Unlock()
	_, err = backoff.RetryNotifyWithTimerAndData(p.proceed, p, nil, sleep)
	return err
}

// pace is a driver's place in a flow, and the back-off of its loop.
type pace struct {
	r     *run
	ctx   context.Context
	sleep *sleeper  // nil: it never waited
	until time.Time // when there is something to do
	tries int       // of what the journal would not take
}

// Context implements [backoff.BackOffContext].
func (p *pace) Context() context.Context { return p.ctx }

// Reset does nothing: the flow knows where it is.
func (p *pace) Reset() {}

// NextBackOff is what is left of the flow's wait. It stops rather than sleep past the
// deadline of the context.
func (p *pace) NextBackOff() time.Duration {
	if at, ok := p.ctx.Deadline(); ok && at.Before(p.until) {
		return backoff.Stop
	}
	return max(0, p.until.Sub(wallClock()))
}

// errWaiting: there is nothing to do yet.
var errWaiting = errors.New("the flow waits")

// errHeld: nothing is sent now.
var errHeld = errors.New("executor: the provider refuses everything; nothing was sent")

// errBehind: the journal takes nothing just now.
var errBehind = errors.New("executor: not written yet; it will be, after what the journal does not take just now")

// errReplaced: another goroutine drives the flow.
var errReplaced = errors.New("executor: the call returned after its flow had gone on")

// proceed does what there is to do, until the flow has ended (nil) or waits.
func (p *pace) proceed() (none struct{}, err error) {
	for ended := false; !ended && err == nil; {
		ended, err = p.step()
	}
	return none, err
}

// step does one thing.
func (p *pace) step() (ended bool, err error) {
	r := p.r
	r.mu.Lock()
	next, seq, kept, lost, replaced := r.next, r.seq, len(r.kept) > 0, r.lost, r.driver != p
	r.mu.Unlock()
	switch {
	case replaced:
		return false, backoff.Permanent(errReplaced)
	case lost:
		return false, backoff.Permanent(ErrTakenOver)
	case p.ctx != r.x.life && r.x.life.Err() != nil:
		return false, backoff.Permanent(ErrClosed)
	case p.ctx.Err() != nil: // a ready timer and a done context: backoff's loop may take either
		return false, backoff.Permanent(p.ctx.Err())
	case kept:
		return false, p.retry()
	}
	switch c := next.(type) {
	case nil:
		return false, p.begin()
	case flow.Send:
		return false, p.heard(r.send(p.ctx, seq, c.Identity, c.Attempt, c.Action, c.Deadline))
	case flow.Ask:
		return false, p.heard(r.ask(p.ctx, seq, c))
	case flow.Wait:
		return false, p.due(c, seq)
	}
	r.release()
	r.tell()
	return true, nil
}

// retry brings once more what the journal did not take.
func (p *pace) retry() error {
	r := p.r
	r.mu.Lock()
	var err error
	for len(r.kept) > 0 && err == nil {
		if err = fits(r.applyLocked(r.kept[0])); err == nil {
			r.kept = r.kept[1:]
		}
	}
	r.mu.Unlock()
	if err != nil {
		return p.stall(err)
	}
	p.tries = 0
	return nil
}

// fits passes over an event that came too late for its flow.
func fits(err error) error {
	if err == nil {
		return nil
	}
	if misfit := (*flow.MisfitError)(nil); errors.As(err, &misfit) {
		return nil
	}
	return err
}

// keep applies an event that must not be lost. The lock is held.
func (r *run) keep(e flow.Event) error {
	if len(r.kept) == 0 {
		err := fits(r.applyLocked(e))
		if err == nil || errors.Is(err, ErrTakenOver) {
			return err
		}
		r.kept = append(r.kept, e)
		r.wake()
		return err
	}
	r.kept = append(r.kept, e) // after those that came before
	return errBehind
}

// stall waits for a journal to work again.
func (p *pace) stall(err error) error {
	if errors.Is(err, journal.ErrLost) && !errors.Is(err, ErrTakenOver) { // it was noticed by reading
		p.r.mu.Lock()
		p.r.lose()
		p.r.mu.Unlock()
		err = fmt.Errorf("%w: %w", ErrTakenOver, err)
	}
	if errors.Is(err, ErrTakenOver) {
		p.r.release()
		return backoff.Permanent(err)
	}
	p.r.x.trouble(err)
	p.r.release() // others may go meanwhile
	p.tries++
	p.until = wallClock().Add(min(100*time.Millisecond<<min(p.tries, 8), 10*time.Second))
	return errWaiting
}

// begin sends for the first time, if the provider takes calls.
func (p *pace) begin() error {
	r := p.r
	if wait := r.held(); wait > 0 {
		p.until = wallClock().Add(wait)
		r.mu.Lock()
		r.waited = true
		r.mu.Unlock()
		return errHeld
	}
	err := r.start()
	r.mu.Lock()
	accepted, begun := r.accepted, r.next != nil
	r.mu.Unlock()
	switch {
	case err == nil, begun && fits(err) == nil: // it may have been withdrawn meanwhile
		return nil
	case accepted && fits(err) != nil:
		return p.stall(err)
	}
	return backoff.Permanent(err)
}

// start takes the first step. A flow that had to wait for it looks at its key again.
func (r *run) start() error {
	r.mu.Lock()
	waited := r.waited || r.accepted
	r.mu.Unlock()
	if waited {
		flows, err := r.x.others(r.x.life, r)
		if err != nil {
			return err
		}
		r.inherit(flows)
	}
	id := r.req.RequestID
	if id == "" {
		id = r.x.requestID(r)
	}
	e := flow.Start{Moment: r.x.moment(), OrderID: r.req.OrderID, RequestID: id, ProviderID: r.req.ProviderID, Earlier: r.earlier}
	return r.apply(e)
}

// heard takes the answer of a call.
func (p *pace) heard(e flow.Event, x *exchange) error {
	if err := p.r.hear(e, x); err != nil {
		return p.stall(err)
	}
	return nil
}

func (r *run) hear(e flow.Event, x *exchange) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.class = policy.Unrecognized
	err := r.keep(e)
	r.fare(x)
	return err
}

// due does what was waited for, when its time has come and nothing holds it.
func (p *pace) due(w flow.Wait, seq uint64) error {
	r := p.r
	now := wallClock()
	if now.Before(w.Until) {
		p.until = w.Until
		return errWaiting
	}
	if wait := r.hold(w, now); wait > 0 {
		p.until = now.Add(wait)
		return errWaiting
	}
	e, err := r.prepare(w.Action)
	if err == nil {
		err = p.carryOut(e, seq)
	}
	if err != nil {
		return p.stall(err)
	}
	return nil
}

// prepare makes the event that carries out what was waited for, unless the key's other flows
// know something that forbids it.
func (r *run) prepare(a policy.Action) (flow.Event, error) {
	if !a.Sends() {
		return flow.Due{Moment: r.x.moment()}, nil
	}
	if e, err := r.news(); e != nil || err != nil {
		return e, err
	}
	var e flow.Due
	if a != policy.RetrySame {
		r.identify(a, &e)
	}
	e.Moment = r.x.moment() // somebody's hook may have taken its time
	return e, nil
}

func (p *pace) carryOut(e flow.Event, seq uint64) error {
	r := p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seq != seq { // something else came meanwhile
		return nil
	}
	if err := r.applyLocked(e); err != nil {
		return err
	}
	if _, due := e.(flow.Due); due {
		r.funded = false
	}
	p.tries = 0
	return nil
}

// identify brings the identifiers of a new identity.
func (r *run) identify(a policy.Action, e *flow.Due) {
	r.mu.Lock()
	ledger := append([]flow.Identity(nil), r.state.Ledger...)
	r.mu.Unlock()
	used := func(of func(*flow.Identity) string, text string) bool {
		return slices.ContainsFunc(ledger, func(id flow.Identity) bool { return of(&id) == text })
	}
	e.RequestID = r.x.requestID(r)
	if e.RequestID == "" || used(func(id *flow.Identity) string { return id.RequestID }, e.RequestID) {
		r.x.trouble(fmt.Errorf("executor: NewRequestID gave flow %s %q once more; a random one is used", r.id, e.RequestID))
		e.RequestID = newRequestID(nil)
	}
	if a != policy.RetryNewOrder || r.x.cfg.NewOrder == nil {
		return
	}
	var id string
	err := r.x.hook("NewOrder", r.id, func() (err error) {
		id, err = r.x.cfg.NewOrder(r.x.life, &r.req.Payment, ledger)
		return err
	})
	if err != nil {
		r.x.trouble(err)
		return
	}
	if used(func(id *flow.Identity) string { return id.OrderID }, id) {
		r.x.trouble(fmt.Errorf("executor: NewOrder gave flow %s order %q once more; there is no new order", r.id, id))
		return
	}
	e.OrderID = id
}

// hold is how long a call that is due has to wait, because of the budget or the breaker. At
// the end of the flow's time nothing is held: the flow ends, by a last query if it must.
func (r *run) hold(w flow.Wait, now time.Time) time.Duration {
	r.mu.Lock()
	left := r.state.Started.Add(r.rules.Terms(&r.state.Payment).Limits.MaxElapsed).Sub(now)
	funded, cost := r.funded, r.cost()
	r.mu.Unlock()
	if left <= 0 || w.Via == flow.ByWebhook {
		return 0
	}
	phase := policy.Query
	switch {
	case w.Action.Sends():
		phase = policy.Send
	case w.Action != policy.QueryStatus:
		return 0
	}
	wait, by := time.Duration(0), theBudget
	if phase == policy.Send && !funded {
		wait = r.bucket.take(cost, now)
		r.mu.Lock()
		r.funded = wait == 0
		r.mu.Unlock()
	}
	if wait == 0 {
		wait, by = r.held(), theBreaker
	}
	if wait <= 0 {
		by = nobody
	}
	r.mu.Lock()
	r.holder = by
	r.mu.Unlock()
	if wait <= 0 {
		return 0
	}
	wait = min(wait, left)
	r.watchers(func(o Observer) {
		o.Waiting(r.x.forever, &WaitEvent{Flow: r.id, Payment: &r.req.Payment, At: now, Held: by.String(),
			Wait: flow.Wait{Until: now.Add(wait), Action: w.Action, Via: w.Via}})
	})
	return wait
}
