package policy

import (
	"fmt"
	"strings"
)

// A word is one of a closed set of names; its value is the index of its name.
type word interface{ ~uint8 }

func nameOf[W word](names []string, w W) string {
	if int(w) < len(names) {
		return names[w]
	}
	return fmt.Sprintf("(%d)", uint8(w))
}

func parseWord[W word](kind string, names []string, text []byte, w *W) error {
	for i, n := range names {
		if n == string(text) {
			*w = W(i)
			return nil
		}
	}
	return &WordError{Kind: kind, Got: string(text), Known: names}
}

// All lists every value of a closed set, in the order of their numbers: All[Class]() is every
// class. [NoFault] is not listed, because it stands for the absence of a fault.
func All[W Action | Basis | CaptureMode | Class | Effect | Fault | Finality | Operation | Outcome | Phase | Reach | Stage]() []W {
	var w W
	names, from := []string(nil), 0
	switch any(w).(type) {
	case Action:
		names = actionNames
	case Basis:
		names = basisNames
	case CaptureMode:
		names = captureNames
	case Class:
		names = classNames
	case Effect:
		names = effectNames
	case Fault:
		names, from = faultNames, 1
	case Finality:
		names = finalityNames
	case Operation:
		names = operationNames
	case Outcome:
		names = outcomeNames
	case Phase:
		names = phaseNames
	case Reach:
		names = reachNames
	case Stage:
		names = stageNames
	}
	all := make([]W, 0, len(names))
	for i := from; i < len(names); i++ {
		all = append(all, W(i))
	}
	return all
}

// WordError says that a text is none of the names of a closed set.
type WordError struct {
	Kind  string   // "operation", "effect", …
	Got   string   // the text that was read
	Known []string // every name of the set; an empty name stands for "none"
}

// Error names the words that exist.
func (e *WordError) Error() string {
	known := make([]string, 0, len(e.Known))
	for _, k := range e.Known {
		if k != "" {
			known = append(known, k)
		}
	}
	return fmt.Sprintf("unknown %s %q (there are: %s)", e.Kind, e.Got, strings.Join(known, ", "))
}

// Operation is what a payment call asks the provider to do.
type Operation uint8

// The operations. Each has its own identities, contract and facts.
const (
	Checkout Operation = iota // makes a link, QR code or session that a customer pays later
	Pay                       // moves or holds money by the call itself
	Capture                   // takes money that is on hold
	Cancel                    // voids, reverses, or releases a hold
	Refund                    // returns money to the customer
	Payout                    // sends money to a recipient
	Bind                      // stores a customer's instrument at the provider
	Unbind                    // removes it
	Onboard                   // registers a merchant or a recipient at the provider
)

var operationNames = []string{"checkout", "pay", "capture", "cancel", "refund", "payout", "bind", "unbind", "onboard"}

func (o Operation) String() string { return nameOf(operationNames, o) }

// MarshalText writes the operation's name.
func (o Operation) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an operation's name; any other text is a [*WordError].
func (o *Operation) UnmarshalText(b []byte) error {
	return parseWord("operation", operationNames, b, o)
}

// Operations lists every operation.
func Operations() []Operation { return All[Operation]() }

// Phase is how an answer reached us.
type Phase uint8

// The phases of an answer.
const (
	Send    Phase = iota // the response to the request itself
	Query                // the response to a question about the request
	Webhook              // a message that the provider sent by itself
)

var phaseNames = []string{"send", "query", "webhook"}

func (p Phase) String() string { return nameOf(phaseNames, p) }

// MarshalText writes the phase's name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a phase's name; any other text is a [*WordError].
func (p *Phase) UnmarshalText(b []byte) error { return parseWord("phase", phaseNames, b, p) }

// Phases lists every phase.
func Phases() []Phase { return All[Phase]() }

// Effect is what an answer proves about one identity of one operation.
type Effect uint8

// The effects. The zero value is the careful one.
const (
	Unknown     Effect = iota // may or may not have executed, or may yet
	Pending                   // accepted, and will end by itself
	NotExecuted               // certain: this identity did not execute and never will
	Executed                  // the operation took place
)

var effectNames = []string{"unknown", "pending", "not_executed", "executed"}

func (e Effect) String() string { return nameOf(effectNames, e) }

// MarshalText writes the effect's name.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads an effect's name; any other text is a [*WordError].
func (e *Effect) UnmarshalText(b []byte) error { return parseWord("effect", effectNames, b, e) }

// Settled reports whether the effect is certain: executed or not executed.
func (e Effect) Settled() bool { return e == NotExecuted || e == Executed }

// Class is the reason of an answer in the field's terms.
type Class uint8

// The classes. The zero value is an answer that no table lists, which proves nothing. A class
// is a reason and no proof: whether money moved is for the [Effect].
const (
	Unrecognized         Class = iota // listed in no table
	Success                           // the operation took place
	Authorized                        // the money is on hold, and not yet taken
	Processing                        // accepted, and will end by itself
	CustomerAction                    // the customer has to do something first: pay, scan, confirm
	InsufficientFunds                 // the customer's account holds too little
	LimitExceeded                     // above a limit of amount or number, of the customer or the merchant
	IssuerDeclined                    // the issuer refuses, without a better reason
	RiskDeclined                      // refused by a fraud check
	AuthenticationFailed              // the customer was not authenticated: wrong OTP, PIN or 3-D Secure
	InvalidInstrument                 // the card, account or token is wrong, blocked or expired
	Expired                           // the link, session or request was not used in time
	Cancelled                         // cancelled by the customer or the merchant
	InvalidRequest                    // malformed: the same request can never work
	InvalidAmount                     // the amount or currency is not allowed
	Credentials                       // the merchant's keys or signature are wrong
	Configuration                     // the merchant's account is not set up for this
	Unsupported                       // the provider does not offer this
	DuplicateRequest                  // the request id was used before
	DuplicateOrder                    // the order id was used before
	Conflict                          // another operation on the same payment is under way, or its state forbids this one
	NotFound                          // the provider does not know the payment, or not yet
	NotYet                            // the payment is known, and this operation does not show in it
	AlreadyDone                       // the state that the operation would bring about exists already
	RateLimited                       // too many calls
	Maintenance                       // the provider is closed for a while
	ProviderError                     // a failure within the provider
	ChannelError                      // a failure of the bank, wallet or network behind the provider
	NetworkError                      // no answer, or a broken connection
	Disputed                          // executed, and then disputed or charged back
	Mismatch                          // about another amount or currency than was asked for
	MerchantBalance                   // the merchant's own balance is too low for a refund or payout
)

var classNames = []string{
	"unrecognized", "success", "authorized", "processing", "customer_action", "insufficient_funds",
	"limit_exceeded", "issuer_declined", "risk_declined", "authentication_failed", "invalid_instrument",
	"expired", "cancelled", "invalid_request", "invalid_amount", "credentials", "configuration",
	"unsupported", "duplicate_request", "duplicate_order", "conflict", "not_found", "not_yet",
	"already_done", "rate_limited", "maintenance", "provider_error", "channel_error", "network_error",
	"disputed", "mismatch", "merchant_balance",
}

func (c Class) String() string { return nameOf(classNames, c) }

// MarshalText writes the class's name.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a class's name; any other text is a [*WordError].
func (c *Class) UnmarshalText(b []byte) error { return parseWord("class", classNames, b, c) }

// Stage is where in the provider an answer was made.
type Stage uint8

// The stages. Only a stored result proves anything about an earlier request when it answers
// a replay.
const (
	Door   Stage = iota // refused before processing; nothing was stored
	Result              // the stored outcome of the request
)

var stageNames = []string{"door", "result"}

func (s Stage) String() string { return nameOf(stageNames, s) }

// MarshalText writes the stage's name.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a stage's name; any other text is a [*WordError].
func (s *Stage) UnmarshalText(b []byte) error { return parseWord("stage", stageNames, b, s) }

// Reach is how much an answer ends.
type Reach uint8

// The reaches.
const (
	WholePayment Reach = iota // the payment under this identity
	OneAttempt                // one try of the shopper; the payment lives
)

var reachNames = []string{"payment", "attempt"}

func (r Reach) String() string { return nameOf(reachNames, r) }

// MarshalText writes the reach's name.
func (r Reach) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a reach's name; any other text is a [*WordError].
func (r *Reach) UnmarshalText(b []byte) error { return parseWord("reach", reachNames, b, r) }

// Basis is what a fact rests on.
type Basis uint8

// The bases.
const (
	Inferred   Basis = iota // our reasoning, written beside the fact
	Documented              // the provider's own document
)

var basisNames = []string{"inferred", "documented"}

func (b Basis) String() string { return nameOf(basisNames, b) }

// MarshalText writes the basis's name.
func (b Basis) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads a basis's name; any other text is a [*WordError].
func (b *Basis) UnmarshalText(text []byte) error { return parseWord("basis", basisNames, text, b) }

// Finality is the provider's own word on whether an answer can still change.
type Finality uint8

// The finalities. They are shown to people; what an answer proves is its [Effect].
const (
	Unspecified Finality = iota // the table does not say
	Final                       // the provider says that it will not change
	NotFinal                    // the provider says that it can still change
)

var finalityNames = []string{"unspecified", "yes", "no"}

func (f Finality) String() string { return nameOf(finalityNames, f) }

// MarshalText writes yes, no or unspecified.
func (f Finality) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads yes, no or unspecified; any other text is a [*WordError].
func (f *Finality) UnmarshalText(b []byte) error { return parseWord("final", finalityNames, b, f) }

// Fault is a failure of the call itself, in place of an answer.
type Fault uint8

// The faults. Only NotSent is certain that nothing left this machine; after the others the
// provider may have the request.
const (
	NoFault    Fault = iota // there is an answer
	NotSent                 // refused connection, DNS or TLS failure: nothing left this machine
	Timeout                 // no answer in time
	Reset                   // the connection broke after the request left
	Unreadable              // a response came that does not decode
)

var faultNames = []string{"", "not_sent", "timeout", "reset", "unreadable"}

func (f Fault) String() string { return nameOf(faultNames, f) }

// MarshalText writes the fault's name; no fault is the empty text.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a fault's name or the empty text; any other is a [*WordError].
func (f *Fault) UnmarshalText(b []byte) error { return parseWord("fault", faultNames, b, f) }

// CaptureMode says whether a hold is the end of a payment or a step on the way.
type CaptureMode uint8

// The capture modes.
const (
	Auto   CaptureMode = iota // the provider takes the money by itself
	Manual                    // a hold ends the payment; a capture takes the money later
)

var captureNames = []string{"auto", "manual"}

func (c CaptureMode) String() string { return nameOf(captureNames, c) }

// MarshalText writes auto or manual.
func (c CaptureMode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads auto or manual; any other text is a [*WordError].
func (c *CaptureMode) UnmarshalText(b []byte) error {
	return parseWord("capture", captureNames, b, c)
}

// Action is what a rule asks for.
type Action uint8

// The actions, a closed set. The zero value ends a flow with a person, because a decision
// that is missing must not move money. Which of them is allowed now is for package flow.
const (
	Escalate        Action = iota // end: a person has to decide, with the evidence
	MarkSucceeded                 // end: the operation took place
	RetrySame                     // the same request again, under the same identifiers
	RetryNewRequest               // a new request id under the same order id
	RetryNewOrder                 // a new order id, which the merchant makes
	QueryStatus                   // ask the provider for the status
	MarkFailed                    // end: the operation did not take place and never will
)

var actionNames = []string{
	"escalate", "mark_succeeded", "retry_same_request", "retry_new_request",
	"retry_new_order", "query_status", "mark_failed",
}

func (a Action) String() string { return nameOf(actionNames, a) }

// MarshalText writes the action's name.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an action's name; any other text is a [*WordError].
func (a *Action) UnmarshalText(b []byte) error { return parseWord("action", actionNames, b, a) }

// Sends reports whether the action sends the payment request once more.
func (a Action) Sends() bool {
	return a == RetrySame || a == RetryNewRequest || a == RetryNewOrder
}

// Outcome is how a flow ended.
type Outcome uint8

// The outcomes. The zero value is a flow that is still open.
const (
	Open      Outcome = iota // not ended
	Succeeded                // the operation took place, once
	Failed                   // it did not take place under any identity
	Escalated                // not known; a person or a later proof settles it
)

var outcomeNames = []string{"open", "succeeded", "failed", "escalated"}

func (o Outcome) String() string { return nameOf(outcomeNames, o) }

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's name; any other text is a [*WordError].
func (o *Outcome) UnmarshalText(b []byte) error { return parseWord("outcome", outcomeNames, b, o) }
