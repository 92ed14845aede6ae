package executor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Result is how a flow ended.
type Result struct {
	Flow     string // its id
	Outcome  policy.Outcome
	Class    policy.Class // of the answer that ended it
	Repeated bool         // the payment key had this flow already; this call sent nothing
	Reason   string

	shopper *policy.ShopperAction // nil: nothing
	state   flow.State
	trace   []Entry
}

// NewResult makes a result, as hooks get it, of a flow's id, state and trace: for their tests.
// The state is copied; what it points to is not written to.
func NewResult(id string, s *flow.State, trace []Entry) *Result {
	r := new(Result)
	r.set(id, s, trace)
	return r
}

func (r *Result) set(id string, s *flow.State, trace []Entry) {
	r.Flow, r.Outcome, r.Class, r.Reason = id, s.Outcome, s.Class, s.Reason
	r.state, r.trace = *s, trace
}

// State is the flow at its end: the identities that were used, and the evidence. It is not to
// be written to.
func (r *Result) State() *flow.State { return &r.state }

// Shopper is what the shopper had to do last, such as a link to pay by. It is zero where there
// was nothing.
func (r *Result) Shopper() policy.ShopperAction {
	if r.shopper == nil {
		return policy.ShopperAction{}
	}
	return *r.shopper
}

// Trace is what this process did, in order. The middle of a long one is dropped, and of a flow that waits
// beside more than ten thousand others all but the first four and the last four entries.
func (r *Result) Trace() []Entry { return r.trace }

// Entry is one line of a trace: Send, Ask, Decided, Wait, Finish or Alert of package flow.
type Entry struct {
	At      time.Time
	Command flow.Command
}

// Story is the trace for people, one line for each entry.
func (r *Result) Story() string {
	var b strings.Builder
	for _, e := range r.trace {
		if d := e.At.Sub(r.state.Started).Round(time.Millisecond); d > 0 {
			fmt.Fprintf(&b, "%9s  ", "+"+d.String())
		} else {
			fmt.Fprintf(&b, "%9s  ", "0s")
		}
		fmt.Fprintln(&b, flow.Describe(e.Command))
	}
	return b.String()
}

// Alert reports an answer that contradicts the end of a flow: paid after it was marked failed,
// disputed after it was marked succeeded. The flow's outcome is not changed.
type Alert struct {
	Flow     string
	Reason   string
	Evidence flow.Evidence
	State    flow.State
}

// Errors of the executor.
var (
	// ErrClosed: the executor is closed. A flow that was open stays in the journal.
	ErrClosed = errors.New("executor: closed")
	// ErrUnknownFlow: no flow has this id, or any of the names that a webhook bears.
	ErrUnknownFlow = errors.New("executor: no such flow")
	// ErrTakenOver: another process has written this flow, or a write of this process was lost.
	// If no other process drives it, the sweeper continues it.
	ErrTakenOver = errors.New("executor: the flow in the journal is not the one in memory any more")
)

// PendingError says that a flow has no outcome yet. It matches the reason, such as
// [context.DeadlineExceeded], and the last answer as an [*AnswerError].
type PendingError struct {
	Flow  string       // its id, for [Executor.Handle]
	Next  flow.Next    // what it does next, in the background
	Held  string       // what delays that longer than the rules asked: "budget", "breaker" or "limit"; else empty
	Last  *AnswerError // the last answer; nil: none yet
	Cause error
}

// Error says what is known.
func (e *PendingError) Error() string {
	text := fmt.Sprintf("executor: flow %s is open", e.Flow)
	if e.Last != nil {
		text += ": " + e.Last.Error()
	}
	if e.Held != "" {
		text += ": delayed by the " + e.Held
	}
	return text + ": " + e.Cause.Error()
}

// Unwrap gives the cause and the last answer.
func (e *PendingError) Unwrap() []error { return causes(e.Cause, e.Last) }

// WithdrawnError says that a flow ended because the context of [Executor.Do] was over, or would
// have been before it could go on, and nothing was in doubt. The result is there beside it. It
// matches the context's error, and the last answer as an [*AnswerError].
type WithdrawnError struct {
	Flow  string
	Last  *AnswerError // nil: there was no answer
	Cause error
}

// Error says why.
func (e *WithdrawnError) Error() string {
	text := fmt.Sprintf("executor: flow %s was withdrawn", e.Flow)
	if e.Last != nil {
		text += ": " + e.Last.Error()
	}
	return text + ": " + e.Cause.Error()
}

// Unwrap gives the cause and the last answer.
func (e *WithdrawnError) Unwrap() []error { return causes(e.Cause, e.Last) }

func causes(cause error, last *AnswerError) []error {
	if last == nil {
		return []error{cause}
	}
	return []error{cause, last}
}

// AnswerError is an answer that is not the end.
type AnswerError struct {
	Answer policy.Answer
	Err    error // what the client returned; nil: the provider answered
}

// Error names the code, the status, or the fault.
func (e *AnswerError) Error() string {
	if e.Answer.Fault != policy.NoFault {
		if e.Err != nil {
			return fmt.Sprintf("%s: %s", e.Answer.Fault, errorText(e.Err))
		}
		return e.Answer.Fault.String()
	}
	return "the provider answered " + flow.DescribeAnswer(&e.Answer)
}

// Unwrap gives what the client returned.
func (e *AnswerError) Unwrap() error { return e.Err }

// PanicError is a panic of a client, an observer, a hook or the journal. What a client was about to send
// may have left. In "flow.Step" is a mistake of this library: the flow stays as its row says, and open.
type PanicError struct {
	Flow  string // empty: it was of no flow
	In    string // what panicked
	Value any
	Stack []byte // for logs; it is no part of the text, which callers may show
}

// Error names the flow and what was panicked with.
func (e *PanicError) Error() string {
	if e.Flow == "" {
		return fmt.Sprintf("executor: %s panicked: %v", e.In, e.Value)
	}
	return fmt.Sprintf("executor: flow %s: %s panicked: %v", e.Flow, e.In, e.Value)
}

// MismatchError says that a payment key is used for another payment: the merchant, the
// operation and the key are those of a flow, and the rest is not.
type MismatchError struct {
	Flow string // the one that has the key
	Key  string
}

// Error names the flow.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("executor: payment key %q is that of flow %s, whose amount, currency or data differ", e.Key, e.Flow)
}

// DoubtError says that a payment key cannot be used again: an earlier flow of it may have
// moved money, and is not settled. [Executor.Resolve] it first.
type DoubtError struct {
	Flow  string
	Key   string
	State flow.State
}

// Error names the flow and how it ended.
func (e *DoubtError) Error() string {
	return fmt.Sprintf("executor: flow %s of payment key %q ended %s, and it is not certain that no money moved; resolve it first",
		e.Flow, e.Key, e.State.Outcome)
}
