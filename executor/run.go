package executor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// run is one flow in this process: the machine's state, and what is to be done next. One
// goroutine, its driver, makes the calls and sleeps; webhooks and people come from others.
type run struct {
	x      *Executor
	id     string
	req    Request
	client Client
	rules  policy.Decider // of its payment
	guard
	firstDriver driver // of the first driver

	observerMu sync.Mutex // one observer at a time; taken after mu, if with it

	mu       sync.Mutex
	state    flow.State
	version  int64           // of the row in the journal
	next     flow.Command    // Send, Ask, Wait or Finish; nil: it has to begin
	pass     permit          // the breaker has let the next call through
	driver   *driver         // of the goroutine that drives it, or did last
	calling  *call           // that has not returned
	kept     []flow.Event    // what the journal would not take
	earlier  []flow.Identity // of earlier flows of the key
	last     *policy.Answer  // heard last
	lastErr  error           // of the client, with it
	trace    []Entry
	owes     []notice
	tellAt   int64                 // in nanoseconds since 1970
	spare    string                // a request id that nothing has yet
	shopper  *policy.ShopperAction // nil: nothing to do
	result   *Result               // once it has ended and somebody asked
	changed  chan struct{}         // closed by what waiters look for
	gone     error                 // why it never began; a *movedError: another flow is the one
	allNames []string

	seq      uint32       // counts what next was
	named    int32        // names that the journal has
	waiting  int32        // calls of Do that wait for it
	class    policy.Class // of what was decided on last
	holder   delayCause   // of the next call
	funded   bool         // the send that next waits for was paid for
	lost     bool         // another process has it
	started  bool         // by Start: it is wanted whether anybody waits or not
	accepted bool         // written down before it could begin
	waited   bool         // for the breaker, before it could begin
	bound    bool         // by the context of a Do, which ends what is sent
	unsure   bool         // the journal failed, and may have stored a row nevertheless
	telling  bool
	told     bool // the first that is owed, and it could not be written
	repeats  bool // it is the answer to a later request of its key

	// The executor's lock guards these.
	indexed bool  // by its names, without a journal
	pins    int32 // that want it in memory

	// Most flows are one call: what it takes is a part of the run.
	firstCall call
	entries   [4]Entry
}

// newRun returns a run that nothing else knows.
func (x *Executor) newRun(q Request) *run {
	r := &run{x: x, req: q}
	r.trace = r.entries[:0]
	return r
}

// key is the payment key that the flow serves.
func (r *run) key() journal.Key {
	return journal.Key{Merchant: r.req.Merchant, Operation: r.req.Operation, Payment: r.req.Key}
}

// movedError sends those who joined a flow to the one that it turned out to be.
type movedError struct{ to *run }

func (e *movedError) Error() string { return "executor: the flow is " + e.to.id }

// goneError tells those who joined a flow that it never began.
type notBegunError struct{ error }

func (e *notBegunError) Unwrap() error { return e.error }

// apply takes an event: through the machine, into the journal, and out as what is to be done.
// The lock is held.
func (r *run) apply(e flow.Event) error {
	if r.lost {
		return ErrTakenOver
	}
	before := r.state
	next, commands, err := flow.Step(r.rules, before, e)
	if err != nil {
		return err
	}
	r.state = next
	owes, durability := r.noticesAfter(commands), journal.Lazy
	if r.x.cfg.Journal != nil && urgent(e, commands) {
		durability = journal.Synced
	}
	if err := r.put(owes, durability); err != nil {
		r.state = before
		return err
	}
	r.result = nil
	at := flow.When(e).At
	if len(owes) > 0 && (len(r.owes) == 0 || owes[0] != r.owes[0]) {
		r.told = false
		r.tellAt = at.Add(renotifyAfter).UnixNano() // by the sweeper; whoever brought the event tells at once
	}
	r.owes = owes
	for _, c := range commands {
		r.handleCommand(at, c)
	}
	return nil
}

// urgent reports whether a step must be on stable storage before anybody hears of it: a send
// that follows, an end, and what nobody will tell again. Of anything else it is enough that
// it is stored before what comes later: if it is lost, the flow asks again.
func urgent(e flow.Event, commands []flow.Command) bool {
	switch e := e.(type) {
	case flow.Received:
		return e.Answer.Verified
	case flow.Resolved, flow.Withdrawn:
		return true
	}
	for _, c := range commands {
		switch c.(type) {
		case flow.Send, flow.Finish, flow.Alert:
			return true
		}
	}
	return false
}

// obey takes note of a command. The lock is held.
func (r *run) handleCommand(at time.Time, c flow.Command) {
	switch w := c.(type) {
	case flow.Record:
		return
	case flow.Send, flow.Ask:
		r.setNext(c)
	case flow.Wait:
		r.planWait(at, w.Action)
		r.setNext(c)
	case flow.Finish:
		r.setNext(c)
		r.signalEnd()
	case flow.Decided:
		r.class = w.Fact.Class
	}
	if len(r.x.cfg.Observers) > 0 {
		r.observeCommand(at, c)
	}
	r.addTrace(Entry{At: at, Command: c})
}

// show tells the observers of a command.
func (r *run) observeCommand(at time.Time, c flow.Command) {
	state := r.state
	r.observe(func(o Observer) {
		switch c := c.(type) {
		case flow.Decided:
			o.Decided(r.x.forever, &DecisionEvent{Flow: r.id, Payment: &r.req.Payment, Decided: &c})
		case flow.Wait:
			o.Waiting(r.x.forever, &WaitEvent{Flow: r.id, Payment: &r.req.Payment, At: at, Wait: c})
		case flow.Finish:
			o.Ended(r.x.forever, &EndEvent{
				Flow: r.id, Payment: &r.req.Payment, At: at, Outcome: c.Outcome, Reason: c.Reason, State: &state,
			})
		case flow.Alert:
			o.Alerted(r.x.forever, &AlertEvent{Flow: r.id, Payment: &r.req.Payment, At: at, Alert: c, State: &state})
		}
	})
}

// A trace keeps its beginning and its end.
const (
	traceHead = 64
	traceTail = 192
)

func (r *run) addTrace(e Entry) {
	if len(r.trace) >= traceHead+traceTail { // somebody may be reading the old one
		kept := make([]Entry, 0, traceHead+traceTail)
		kept = append(kept, r.trace[:traceHead]...)
		r.trace = append(kept, r.trace[traceHead+traceTail/2:]...)
	}
	r.trace = append(r.trace, e)
}

// wake ends the driver's sleep. The lock is held.
func (r *run) wake() {
	if r.driver != nil {
		if s := r.driver.sleep; s != nil {
			s.wake()
		}
	}
}

func (r *run) setNext(c flow.Command) {
	r.next = c
	r.seq++
}

// pause is paid for before it begins, if it ends with sending again.
func (r *run) planWait(at time.Time, then policy.Action) {
	r.releasePermitLocked() // what was let through and paid for did not happen
	r.holder = notDelayed
	r.funded = then.Sends() && r.bucket.take(r.cost(), at) == 0
	r.wake()
}

// cost is what sending again takes from the budget: more, after silence. The lock is held.
func (r *run) cost() float64 {
	if r.last != nil && r.last.Fault != policy.NoFault && r.last.Fault != policy.NotSent {
		return r.x.cfg.Budget.Timeout
	}
	return r.x.cfg.Budget.Retry
}

// finished tells those who wait. The lock is held.
func (r *run) signalEnd() {
	r.broadcast()
	r.wake()
	if r.calling != nil { // what it asks is answered
		r.calling.ctx.end(context.Canceled)
	}
}

// ended returns the result once there is one, else nil. The lock is held.
func (r *run) resultLocked() *Result {
	if r.state.Stage != flow.Ended {
		return nil
	}
	if r.result == nil {
		r.result = NewResult(r.id, &r.state, slices.Clip(r.trace))
		r.result.shopper = r.shopper
	}
	return r.result
}

// action is what the shopper must do next.
func (r *run) action() policy.ShopperAction {
	if r.shopper == nil {
		return policy.ShopperAction{}
	}
	return *r.shopper
}

// broadcast wakes those who wait for a change. The lock is held.
func (r *run) broadcast() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// await blocks until look is content, ctx is over, or the executor is closed. look is
// called with the lock held.
func (r *run) waitUntil(ctx context.Context, look func() bool) error {
	for {
		r.mu.Lock()
		if look() {
			r.mu.Unlock()
			return nil
		}
		if r.gone != nil {
			r.mu.Unlock()
			return r.gone
		}
		if r.lost {
			r.mu.Unlock()
			return r.pendingError(ErrTakenOver)
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return r.pendingError(ctx.Err())
		case <-r.x.life.Done():
			return r.pendingError(ErrClosed)
		}
	}
}

// pending is the error of a flow that goes on without whoever waited.
func (r *run) pendingError(cause error) *PendingError {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &PendingError{Flow: r.id, Next: r.state.Next, Held: r.holder.String(), Cause: cause}
	if r.last != nil {
		e.Last = &AnswerError{Answer: *r.last, Err: r.lastErr}
	}
	return e
}
