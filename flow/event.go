package flow

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Moment is what the machine does not read by itself: the time, and a number in [0, 1) that
// spreads waits (0.5: no spread). So the same events always lead to the same state.
type Moment struct {
	At     time.Time
	Jitter float64

	// Latest is how late it may be, if two clocks of the driver disagree; zero: At. What may have
	// ended by then counts as ended: a window in which a provider dedupes. What must have
	// passed counts from At: a time after which "not found" is a proof.
	Latest time.Time
	// SetBack: the clock was set back, and how much time has passed is not known. Every window
	// counts as ended.
	SetBack bool
}

// latest is how late it may be.
func (m Moment) latest() time.Time {
	if m.Latest.After(m.At) {
		return m.Latest
	}
	return m.At
}

// afterAllWindows is longer than any provider remembers a request.
const afterAllWindows = 100_000 * time.Hour

// forWindows is the time by which windows are judged.
func (m Moment) forWindows() time.Time {
	if m.SetBack {
		return m.latest().Add(afterAllWindows)
	}
	return m.latest()
}

// Event is something that happened to a flow: one of the types below, by value. The set is closed.
type Event interface{ event() }

// When is the moment of an event. It is a switch and no method, for a call through the
// interface would move every event to the heap.
func When(e Event) Moment {
	switch e := e.(type) {
	case Start:
		return e.Moment
	case Answered:
		return e.Moment
	case Queried:
		return e.Moment
	case Received:
		return e.Moment
	case Due:
		return e.Moment
	case Resumed:
		return e.Moment
	case Resolved:
		return e.Moment
	case Withdrawn:
		return e.Moment
	}
	return Moment{}
}

// Start begins a flow with its first identity.
type Start struct {
	Moment
	OrderID    string
	RequestID  string
	ProviderID string // where the operation works on something that the provider named

	// Accepted is when the payment was accepted; zero: now. The time limit counts from then.
	Accepted time.Time
	NotAfter time.Time // nothing is sent from then on; zero: no such limit

	// Earlier are the identities that earlier flows of the same payment key were sent under. A later
	// answer may speak of them. If one has executed, or may have, nothing is sent.
	Earlier []Identity
}

// Answered brings the answer, or the fault, of a send. Attempt is that of [Send]; 0 stands
// for the one under way.
type Answered struct {
	Moment
	Answer  policy.Answer
	Attempt int
}

// Queried brings the answer, or the fault, of a query. Query is that of [Ask]; 0 stands for
// the one under way.
type Queried struct {
	Moment
	Answer policy.Answer
	Query  int
}

// Received brings a webhook. It may come at any time, also after the end.
type Received struct {
	Moment
	Answer policy.Answer
}

// Due says that the wait of [Wait] is over.
type Due struct {
	Moment
	RequestID string // a fresh request id, for a new identity
	OrderID   string // a new order id, if one was minted; empty: there is none
}

// Resumed says that the process that drove the flow has died and another one took over. A request
// that may have left is in doubt.
type Resumed struct{ Moment }

// Resolved is the word of a person, a reconciliation file, or a cancel that worked,
// about the identity at an index of the ledger.
type Resolved struct {
	Moment
	Identity int
	Effect   policy.Effect // executed or not_executed
	Who, Why string
}

// Withdrawn says that the caller does not want the payment any more. Nothing more is sent. What
// may have executed is found out as before.
type Withdrawn struct {
	Moment
	Why string
}

func (Moment) event() {}

// Command is something the driver has to do, in the order given: one of the types below, by
// value. The set is closed.
type Command interface{ command() }

// Record asks to store the state that Step returned, durably, before anything that follows.
type Record struct{}

// Send the payment request under an identity.
type Send struct {
	Identity *Identity     // not to be written to
	Attempt  int           // 1 is the first send of the flow
	Action   policy.Action // what asked for it, of every attempt but the first
	Deadline time.Time     // stop listening then; the request may still arrive later
}

// Ask the provider for the status.
type Ask struct {
	By       policy.Identifier
	Identity *Identity // not to be written to
	Query    int       // 1 is the first query of the flow
	Deadline time.Time
}

// Wait until a time, then bring [Due]; a webhook may come first.
type Wait struct {
	Until  time.Time
	Action policy.Action // what will be done
	Via    Via           // for query_status
}

// Finish says that the flow has ended, or an escalated one has been settled by proof.
type Finish struct {
	Outcome policy.Outcome
	Reason  string
}

// Alert says that something contradicts the end after it. History is not changed.
type Alert struct {
	Reason   string
	Evidence Evidence
}

// Decided reports a decision, for traces and observers. The driver has nothing to do.
type Decided struct {
	At       time.Time
	Due      bool // no answer came: the action that the flow waited for is not allowed any more
	Phase    policy.Phase
	Answer   *policy.Answer // not to be written to; empty when Due
	Fact     policy.Fact    // as the flow took it
	InDoubt  bool
	Decision policy.Decision // what the rules wanted
	Verdict  Verdict         // what is done
}

// Verdict is what became of a decision.
type Verdict struct {
	Action   policy.Action
	Via      Via
	Property Property      // S1, S2 or S3, when the interlock corrected the rules
	Limit    string        // the limit that was spent, when one was
	Schedule string        // whose turn Delay is; empty: none's
	Delay    time.Duration // before the action, without jitter
}

func (Record) command()  {}
func (Send) command()    {}
func (Ask) command()     {}
func (Wait) command()    {}
func (Finish) command()  {}
func (Alert) command()   {}
func (Decided) command() {}
