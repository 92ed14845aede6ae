package temporal

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/policy"
)

// Bounds of a history.
const (
	longestHistory = 2000 // events, before a workflow continues as new
	mostAtOnce     = 100  // signals in one step
	longestStory   = 400  // lines
	callMargin     = 5 * time.Second
)

// run is a workflow under way. Its code only carries out: what is decided, and by which clock, comes from activities, and
// stands in the history.
type run struct {
	in      Input
	id      string // the flow's
	row     json.RawMessage
	version int64           // that the journal has
	claim   json.RawMessage // the row of a send of which it is not known whether the journal has it, as the next version
	next    *next
	notices bool
	dirty   bool // the journal does not have row
	sending bool // a send is under way: its activity writes the journal's row
	after   bool // the flow has ended, or its workflow was terminated: nothing is called
	foreign bool // the journal's row of this id is another payment's
	afters  int  // how often the workflow of what comes after was there already
	story   []string

	signals workflow.ReceiveChannel
	seen    map[[sha256.Size]byte]bool // signals, since this run began
	gone    bool                       // a cancellation was taken as a withdrawal
	timer   workflow.Future            // of the wait until timerAt
	timerAt time.Time
	stop    workflow.CancelFunc // of the timer
}

func newRun(ctx workflow.Context, in Input) (*run, error) {
	if in.V != inputVersion {
		return nil, refuse("an input of version %d; this release has %d", in.V, inputVersion)
	}
	r := &run{in: in, id: in.Flow, row: in.Row, version: in.Version, claim: in.Claim, next: in.Next, story: in.Story, seen: map[[sha256.Size]byte]bool{}}
	if r.id == "" {
		r.id = workflow.GetInfo(ctx).WorkflowExecution.ID
	}
	r.signals = workflow.GetSignalChannel(ctx, eventSignal)
	if err := workflow.SetQueryHandler(ctx, stateQuery, func() (*Result, error) { return resultOf(r.id, r.row) }); err != nil {
		return nil, err
	}
	return r, workflow.SetQueryHandler(ctx, storyQuery, func() ([]string, error) { return r.story, nil })
}

// refuse ends a workflow that sends nothing.
func refuse(format string, args ...any) error {
	return sdk.NewNonRetryableApplicationError("temporal: "+fmt.Sprintf(format, args...)+"; nothing was sent", "recourse.Refused", nil)
}

// payment is the workflow of one payment. Its cancellation is a withdrawal: what is in doubt is found out nevertheless.
func payment(caller workflow.Context, in Input) (*Result, error) {
	ctx, _ := workflow.NewDisconnectedContext(caller)
	r, err := newRun(ctx, in)
	if err != nil {
		return nil, err
	}
	if r.next == nil {
		repeated, err := r.open(ctx)
		if err != nil || repeated != nil {
			return repeated, err
		}
	}
	for {
		r.takeSignals(ctx, caller)
		if r.next.Do == doEnd && (r.foreign || !r.notices) {
			break
		}
		if r.next.Do == doEnd { // another workflow calls the hooks, as long as it takes: the caller has the result
			if err := r.startAfter(ctx); err != nil {
				return nil, err
			}
			continue // what has come meanwhile must not be lost
		}
		if info := workflow.GetInfo(ctx); r.next.Do == doWait && (info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > longestHistory) {
			return nil, workflow.NewContinueAsNewError(ctx, Workflow, r.input())
		}
		if r.next.Do == doWait {
			r.wait(ctx, caller)
		} else {
			r.call(ctx, caller)
		}
	}
	if r.foreign {
		return nil, refuse("the id of this workflow is that of another payment's flow")
	}
	return resultOf(r.id, r.row)
}

// input is what the workflow goes on with.
func (r *run) input() Input {
	in := r.in
	in.Flow, in.Row, in.Version, in.Next, in.Claim, in.Story = r.id, r.row, r.version, r.next, r.claim, r.story
	return in
}

// open begins the flow, or goes on with what the journal has of it.
func (r *run) open(ctx workflow.Context) (*Result, error) {
	var out openOut
	patient := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	err := workflow.ExecuteActivity(patient, openActivity, storeIn{Flow: r.id, Row: r.row}).Get(ctx, &out)
	switch {
	case err != nil:
		return nil, err
	case out.Refused != "":
		return nil, refuse("%s", out.Refused)
	case out.Of != "":
		result, err := resultOf(out.Of, out.Row)
		if result != nil {
			result.Repeated = true
		}
		return result, err
	case out.Row != nil:
		r.version, r.row = out.Version, out.Row // what was under way when it was written is in doubt
		r.step(ctx, event{Kind: evResumed})
		r.fill(ctx)
		return nil, nil
	}
	r.step(ctx, event{Kind: evStart, Earlier: out.Earlier})
	return nil, nil
}

// local are the options of a step and of a write: they are tried until they succeed.
func local(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		RetryPolicy:         &sdk.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumInterval: time.Minute},
	})
}

// until runs a local activity until it succeeds. The options say so too, but the workflow must not go on by mistake.
func until(ctx workflow.Context, name string, in, out any) {
	for {
		err := workflow.ExecuteLocalActivity(local(ctx), name, in).Get(ctx, out)
		if err == nil {
			return
		}
		workflow.GetLogger(ctx).Error("an activity failed and is tried again", "activity", name, "error", err)
		_ = workflow.Sleep(ctx, 10*time.Second) // the context is never cancelled
	}
}

// step takes events through the machine, and writes the row. That of a send is written by the activity that sends.
func (r *run) step(ctx workflow.Context, events ...event) {
	r.advance(ctx, events)
	for r.dirty && !r.sending {
		var out storeOut
		until(ctx, storeActivity, storeIn{Flow: r.id, Version: r.version, Row: r.row, Claim: r.claim}, &out)
		if !out.Taken {
			r.version, r.claim, r.dirty = out.Version, nil, false
			return
		}
		r.overtaken(ctx, events)
	}
}

// advance is step without the write.
func (r *run) advance(ctx workflow.Context, events []event) {
	var out stepOut
	until(ctx, stepActivity, stepIn{Rules: r.in.Rules, Flow: r.id, Salt: r.in.Salt, Row: r.row, Now: workflow.Now(ctx), Events: events}, &out)
	r.row, r.notices = out.Row, out.Notices
	if out.Next != nil {
		r.next = out.Next
	}
	r.story = append(r.story, out.Story...)
	if more := len(r.story) - longestStory; more > 0 {
		r.story = append(r.story[:longestStory/2], r.story[longestStory/2+more:]...)
	}
	r.dirty = r.after || r.next == nil || r.next.Do != doSend
}

// overtaken takes the journal's row in place of this run's: another run of the workflow has gone on from where this one
// was, as after a reset. What this one has just learnt of the payment is applied to it; what it has learnt of itself is not:
// that its own call did not leave says nothing of the other run's.
func (r *run) overtaken(ctx workflow.Context, events []event) {
	var row loaded
	until(ctx, loadActivity, r.id, &row)
	if foreign(r.row, &row) {
		r.foreign, r.dirty, r.next = true, false, &next{Do: doEnd}
		return
	}
	r.version, r.row, r.claim = row.Version, row.Row, nil
	r.story = append(r.story, fmt.Sprintf("%9s  another run of the workflow has gone on with the flow: what it has stored holds", ""))
	if r.after {
		r.advance(ctx, events)
		return
	}
	r.next = nil
	said := []event{{Kind: evResumed}}
	for _, e := range events {
		if !e.ofRun {
			said = append(said, e)
		}
	}
	r.advance(ctx, said)
	r.fill(ctx)
}

// fill says what is next where the machine had nothing to say: the flow has ended.
func (r *run) fill(ctx workflow.Context) {
	if r.next != nil {
		return
	}
	f, err := stored.Decode(r.row)
	if err == nil && f.State.Outcome != policy.Open {
		r.next = &next{Do: doEnd}
		return
	}
	workflow.GetLogger(ctx).Error("the flow has nothing to do and has not ended; it waits for a signal", "flow", r.id)
	r.next = &next{Do: doWait, At: workflow.Now(ctx).Add(time.Hour)}
}

// takeSignals applies the signals that are there, and a cancellation.
func (r *run) takeSignals(ctx, caller workflow.Context) {
	for {
		var events []event
		if caller.Err() != nil && !r.gone {
			r.gone = true
			events = append(events, event{Kind: evWithdrawn, Why: "the workflow was cancelled"})
		}
		for len(events) < mostAtOnce {
			var e event
			if !r.signals.ReceiveAsync(&e) {
				break
			}
			if r.isNew(&e) {
				events = append(events, e)
			}
		}
		if len(events) == 0 {
			return
		}
		before := r.next
		r.step(ctx, events...)
		if before != nil && r.next == nil {
			r.next = before
		}
	}
}

// isNew reports whether a signal is one of the three kinds, and not the repeat of one: providers repeat webhooks, and
// anyone can make them do so.
func (r *run) isNew(e *event) bool {
	if e.Kind != evReceived && e.Kind != evResolved && e.Kind != evWithdrawn {
		return false
	}
	text, err := json.Marshal(e)
	sum := sha256.Sum256(text)
	if err != nil || r.seen[sum] {
		return false
	}
	r.seen[sum] = true
	return true
}

// wait waits until the time of the next step, or until something comes.
func (r *run) wait(ctx, caller workflow.Context) {
	if r.timer == nil || !r.timerAt.Equal(r.next.At) {
		if r.stop != nil {
			r.stop()
		}
		var of workflow.Context
		of, r.stop = workflow.WithCancel(ctx)
		r.timer, r.timerAt = workflow.NewTimer(of, max(0, r.next.At.Sub(workflow.Now(ctx)))), r.next.At
	}
	due := false
	s := workflow.NewSelector(ctx).AddFuture(r.timer, func(workflow.Future) { due = true })
	r.interrupts(s, caller)
	s.Select(ctx)
	if !due {
		return
	}
	r.timer, r.stop = nil, nil
	order := ""
	if r.next.Action == policy.RetryNewOrder {
		patient := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, ScheduleToCloseTimeout: 10 * time.Minute})
		if err := workflow.ExecuteActivity(patient, orderActivity, orderIn{Flow: r.id, Row: r.row}).Get(ctx, &order); err != nil {
			r.story = append(r.story, "no new order: "+err.Error())
			order = ""
		}
	}
	was := r.next
	r.step(ctx, event{Kind: evDue, OrderID: order, ofRun: true})
	if r.next == was { // it did not fit; without this the workflow would try again at once, for ever
		r.next = &next{Do: doWait, At: workflow.Now(ctx).Add(time.Hour)}
	}
}

// interrupts makes a selector return when a signal or a cancellation has come.
func (r *run) interrupts(s workflow.Selector, caller workflow.Context) {
	s.AddReceive(r.signals, func(workflow.ReceiveChannel, bool) {})
	if !r.gone {
		s.AddReceive(caller.Done(), func(workflow.ReceiveChannel, bool) {})
	}
}

// callOptions are those of a send and of a query: one attempt, and no longer than it may take. An activity that crashed
// has timed out then, and so has one for which there was no worker.
func callOptions(left time.Duration) workflow.ActivityOptions {
	left = max(left, 0) + callMargin
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: left, StartToCloseTimeout: left, WaitForCancellation: true,
		RetryPolicy: &sdk.RetryPolicy{MaximumAttempts: 1},
	}
}

// call makes the call that is next. Signals are taken meanwhile.
func (r *run) call(ctx, caller workflow.Context) {
	n := *r.next
	r.next = nil
	name, kind := sendActivity, evAnswered
	in := callIn{Rules: r.in.Rules, Flow: r.id, Call: n}
	lost := stored.Answer{Phase: policy.Send, Fault: policy.Timeout}
	if n.Do == doSend {
		in.Version, in.Row = r.version, r.row
		r.claim, r.sending = r.row, true
	} else {
		name, kind, lost.Phase = queryActivity, evQueried, policy.Query
		if f, err := stored.Decode(r.row); err == nil {
			in.Payment, in.Data = f.State.Payment, f.Request.Data
		}
	}
	future := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, callOptions(n.At.Sub(workflow.Now(ctx)))), name, in)
	for !future.IsReady() {
		s := workflow.NewSelector(ctx).AddFuture(future, func(workflow.Future) {})
		r.interrupts(s, caller)
		s.Select(ctx)
		if !future.IsReady() {
			r.takeSignals(ctx, caller)
		}
	}
	var out callOut
	if err := future.Get(ctx, &out); err != nil {
		// It crashed, timed out, or its worker was stopped. Whatever the error says, it may have sent.
		out = callOut{Answer: lost, Error: text(err)}
	}
	r.answered(ctx, &n, kind, &out)
}

// answered takes over what came of a call.
func (r *run) answered(ctx workflow.Context, n *next, kind string, out *callOut) {
	if out.Error != "" {
		r.story = append(r.story, fmt.Sprintf("%9s  %s %d: %s", "", n.Do, n.Number, out.Error))
	}
	r.sending = false
	made := event{Kind: kind, Answer: &out.Answer, Shopper: out.Shopper, Number: n.Number}
	switch {
	case kind != evAnswered:
	case out.Claimed:
		r.version, r.claim = r.version+1, nil
	default:
		made.ofRun = true
		if out.Answer.Fault == policy.NotSent {
			r.claim = nil // if the journal has it, it is another run's, whose call may have left
		}
	}
	var events []event
	if out.Refused != "" {
		events = append(events, event{Kind: evWithdrawn, Why: out.Refused, ofRun: !out.Claimed})
	}
	events = append(events, made)
	r.step(ctx, events...)
	r.fill(ctx)
}

// text is what an error of Temporal says in short.
func text(err error) string {
	if timeout := (*sdk.TimeoutError)(nil); errors.As(err, &timeout) {
		return "no result of the activity: timeout " + timeout.TimeoutType().String()
	}
	return "no result of the activity: " + stored.Text(err.Error())
}
