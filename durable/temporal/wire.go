package temporal

import (
	"encoding/json"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/policy"
)

// What stands in histories outlives the program that wrote it: the forms of this file get new keys and lose none.

// inputVersion is that of the workflow's code. A workflow goes on as the code of its version says.
const inputVersion = 1

// Input is what a payment's workflow begins with, and what it takes along when it continues as new. Make it with
// [Driver.Prepare].
type Input struct {
	V     int    `json:"v"`
	Rules string `json:"rules"` // the digest of the set that decides, from the first decision to the last
	Salt  string `json:"salt"`  // request ids are made of it: a run that is reset makes the same ones

	Row     json.RawMessage `json:"row,omitempty"`     // the flow, in the form of a journal's row
	Version int64           `json:"version,omitempty"` // of the journal's row; 0: the journal was not asked yet

	// Of a workflow that goes on:
	Flow  string          `json:"flow,omitempty"`  // the flow's id: that of its first workflow
	Next  *next           `json:"next,omitempty"`  // what it waits for
	Claim json.RawMessage `json:"claim,omitempty"` // see run.claim
	Story []string        `json:"story,omitempty"`
}

// Result is how a payment ended, or how it stands.
type Result struct {
	Flow     string               `json:"flow"`
	Outcome  policy.Outcome       `json:"outcome"` // open: it has not ended
	Class    policy.Class         `json:"class"`   // of the answer that ended it
	Reason   string               `json:"reason,omitempty"`
	Repeated bool                 `json:"repeated,omitempty"` // an earlier flow of the key had it; nothing was sent
	Shopper  policy.ShopperAction `json:"shopper,omitzero"`   // what the shopper must do next
	Row      json.RawMessage      `json:"row"`
}

// State is the whole flow: its identities, and the evidence.
func (r *Result) State() (flow.State, error) {
	f, err := stored.Decode(r.Row)
	if err != nil {
		return flow.State{}, err
	}
	return f.State.State(), nil
}

// resultOf reads a row.
func resultOf(id string, row []byte) (*Result, error) {
	f, err := stored.Decode(row)
	if err != nil {
		return nil, err
	}
	s := &f.State
	return &Result{Flow: id, Outcome: s.Outcome, Class: s.Class, Reason: s.Reason, Shopper: policy.ShopperAction(f.Shopper), Row: row}, nil
}

// The kinds of an event. Three of them come as signals.
const (
	evStart     = "start"
	evAnswered  = "answered"
	evQueried   = "queried"
	evReceived  = "received" // a signal
	evDue       = "due"
	evResumed   = "resumed"
	evResolved  = "resolved"  // a signal
	evWithdrawn = "withdrawn" // a signal
	evTold      = "told"      // the first notice was delivered
)

// event is an event of the machine, without its time.
type event struct {
	Kind     string            `json:"kind"`
	Answer   *stored.Answer    `json:"answer,omitempty"`
	Shopper  stored.Shopper    `json:"shopper,omitzero"`
	Number   int               `json:"number,omitempty"` // of the send or the query
	OrderID  string            `json:"order_id,omitempty"`
	Request  string            `json:"request_id,omitempty"`
	Earlier  []stored.Identity `json:"earlier,omitempty"`
	Effect   policy.Effect     `json:"effect,omitempty"`
	Who      string            `json:"who,omitempty"`
	Why      string            `json:"why,omitempty"`
	Override bool              `json:"override,omitempty"`

	ofRun bool // it says something of this run of the workflow, and nothing of another one that has gone on with the flow
}

// UnmarshalJSON reads an event whole or not at all: a signal that cannot be read leaves nothing for the next one.
func (e *event) UnmarshalJSON(text []byte) error {
	type plain event
	var p plain
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*e = event(p)
	return nil
}

// What a flow does next.
const (
	doSend = "send"
	doAsk  = "query"
	doWait = "wait"
	doEnd  = "end"
)

// next is the machine's last command, as far as a driver needs it.
type next struct {
	Do         string            `json:"do"`
	At         time.Time         `json:"at,omitzero"` // until when it waits, or listens
	Action     policy.Action     `json:"action"`
	Number     int               `json:"number,omitempty"`
	OrderID    string            `json:"order_id,omitempty"`
	RequestID  string            `json:"request_id,omitempty"`
	ProviderID string            `json:"provider_id,omitempty"`
	By         policy.Identifier `json:"by,omitempty"`
}

// nextOf is a command in that form; nil: there is nothing to do.
func nextOf(c flow.Command) *next {
	switch c := c.(type) {
	case flow.Send:
		return &next{
			Do: doSend, At: c.Deadline, Action: c.Action, Number: c.Attempt,
			OrderID: c.Identity.OrderID, RequestID: c.Identity.RequestID, ProviderID: c.Identity.ProviderID,
		}
	case flow.Ask:
		return &next{
			Do: doAsk, At: c.Deadline, By: c.By, Number: c.Query,
			OrderID: c.Identity.OrderID, RequestID: c.Identity.RequestID, ProviderID: c.Identity.ProviderID,
		}
	case flow.Wait:
		return &next{Do: doWait, At: c.Until, Action: c.Action}
	case flow.Finish:
		return &next{Do: doEnd}
	case flow.Record, flow.Alert, flow.Decided:
	}
	return nil
}
