package executor

import (
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// run is one flow in this process. One goroutine at a time, its driver, makes the calls and
// sleeps. Webhooks and resolutions come from other goroutines.
//
// The fields before mu do not change once the flow is registered, except client, which mu
// guards for a copy that had none. Each part says which lock guards it.
type run struct {
	x      *Executor
	id     string
	req    Request
	client Client
	rules  careful  // of its payment
	alike  likeness // to other payments, if Config.Duplicate is on
	guard

	observers *queue // of calls of the observers; nil: there are none

	mu            flowLock // guards all that follows, except memory
	life          lifecycle
	repeats       bool // the answer to a later request of its key
	elsewhere     bool // another process holds it: this copy is for reading; does not change
	state         flow.State
	row           rowState
	plan          plan
	calls         calls
	waiters       waiters
	notices       notices
	trace         trace
	dataDigest    string // of Data, if only a tombstone is left
	earlier       earlier
	nextRequestID string // made with the id; no request has it yet
	shopper       *policy.ShopperAction

	firsts *firsts // nil: they were given up
	memory memory  // guarded by the executor's lock
}

// lifecycle is where a flow stands in this process. How far the payment is, says flow.Stage.
type lifecycle uint8

const (
	admitted lifecycle = iota // checked and registered
	delayed                   // the breaker made it wait before its first step
	accepted                  // its row was written before its first step
	lost                      // another process, or a fresher copy, has it; it writes nothing more
)

// memory is how the executor's indexes hold a flow. The executor's lock guards it.
type memory struct {
	indexed bool  // by its names, without a journal
	pins    int32 // callers that need it in memory
}

// key is the payment key that the flow serves.
func (r *run) key() journal.Key {
	return journal.Key{Merchant: r.req.Merchant, Operation: r.req.Operation, Payment: r.req.Key}
}

// begun reports whether the flow is more than a request: it was written, or took a step. The
// lock is held.
func (r *run) begun() bool {
	return r.life == accepted || r.state.Stage != flow.New || r.row.version > 0
}

// apply passes an event through the machine, writes the new state and then follows the
// commands. In this order: nothing is sent that is not written. If the write fails the state is
// as before, and so it is for those who look during the write. The lock is held.
func (r *run) apply(e flow.Event) error {
	if r.life == lost {
		return ErrTakenOver
	}
	before, offset := r.state, time.Duration(r.x.clock.offset.Load())
	next, commands, err := r.step(&before, e)
	if err != nil {
		return err
	}
	if _, webhook := e.(flow.Received); webhook && r.row.version > 0 && changesNothing(&before, &next, commands) {
		return nil // everyone who knows the URL can send it, and any number of times
	}
	due, durability := r.noticesAfter(commands), journal.Lazy
	if r.x.cfg.Journal != nil && mustSync(e, commands) {
		durability = journal.Synced
	}
	if r.x.cfg.Journal == nil {
		r.state = next
		r.indexNames(&r.state)
	} else if err := r.putStep(next, due, durability); err != nil {
		return err
	}
	r.waiters.result = nil
	at := flow.When(e).At
	r.notices.replace(due, at)
	for _, c := range commands {
		r.handleCommand(at, &before, c)
	}
	if before.Stage == flow.New { // some wait for it to begin
		r.waiters.broadcast()
	}
	r.plan.offset = offset
	return nil
}

// step asks the machine. If it panics, which is a mistake of this library, the flow stays as it is, in memory and in the journal, and the event
// counts as one that the journal did not accept. Left to end the process, the panic would end the next one too. The lock is held.
func (r *run) step(before *flow.State, e flow.Event) (next flow.State, commands []flow.Command, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			next, commands, err = flow.State{}, nil, &PanicError{Flow: r.id, In: "flow.Step", Value: bug, Stack: debug.Stack()}
		}
	}()
	adviser := advisers.Get().(*flow.Adviser)
	next, commands, err = adviser.Step(&r.rules, before, e)
	advisers.Put(adviser) // not after a panic
	return next, commands, err
}

// advisers lend the memory of a step.
var advisers = sync.Pool{New: func() any { return new(flow.Adviser) }}

// changesNothing reports whether a step left a flow as it was, but for the evidence: the same
// webhook once more, or one that is not verified.
func changesNothing(before, after *flow.State, commands []flow.Command) bool {
	for _, c := range commands {
		switch c.(type) {
		case flow.Record, flow.Wait:
		default:
			return false
		}
	}
	a, b := *before, *after
	seen := len(a.Evidence) > 0 || len(b.Evidence) == 0 // the first evidence is kept
	a.Evidence, b.Evidence = nil, nil
	return seen && reflect.DeepEqual(a, b)
}

// mustSync reports whether a step must be on stable storage before it has an effect outside:
// a send that follows, an end, and an event that its source does not repeat. The rest is only
// written in order. If it is lost, the flow queries again.
func mustSync(e flow.Event, commands []flow.Command) bool {
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

// handleCommand takes over one command of the machine, of the step that the flow took from before. The lock is held.
func (r *run) handleCommand(at time.Time, before *flow.State, c flow.Command) {
	switch w := c.(type) {
	case flow.Record:
		return
	case flow.Send, flow.Ask:
		r.plan.set(c)
	case flow.Wait:
		r.planWait(at, w.Action)
		r.plan.set(c)
	case flow.Finish:
		r.plan.set(c)
		r.signalEnd()
	case flow.Decided:
		r.calls.class = w.Fact.Class
	}
	if len(r.x.cfg.Observers) > 0 {
		r.observeCommand(at, before, c)
	}
	r.trace.add(Entry{At: at, Command: c})
}

// observeCommand reports a command to the observers.
func (r *run) observeCommand(at time.Time, before *flow.State, c flow.Command) {
	state, was := r.state, *before
	r.observe(func(o Observer) {
		switch c := c.(type) {
		case flow.Decided:
			o.Decided(r.x.forever, &DecisionEvent{Flow: r.id, Payment: &r.req.Payment, Decided: &c, Before: &was, Set: setOf(r.rules.Decider)})
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

// action is what the shopper must do next.
func (r *run) action() policy.ShopperAction {
	if r.shopper == nil {
		return policy.ShopperAction{}
	}
	return *r.shopper
}
