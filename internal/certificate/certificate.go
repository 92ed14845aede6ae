package certificate

import (
	"github.com/recourse-pay/recourse/policy"
)

// Version is the version of the file's form.
const Version = 4

// Certificate is what a proof rests on, and the states that it is about.
type Certificate struct {
	V        int       `json:"v"`
	Without  []Part    `json:"without,omitempty"` // what the rules hold, and the certificate is not about
	Products []Product `json:"products"`
	Rules    []Text    `json:"-"` // the files of the rules, and of catalogues that the program does not have
}

// Part is a product of some merchants.
type Part struct {
	Provider  string           `json:"provider"`
	Operation policy.Operation `json:"operation"`
	Merchants []string         `json:"merchants"` // "" is every merchant without a file
}

// Text is a file of the rules' folder.
type Text struct {
	Name string // slash-separated, in the folder
	Data []byte
}

// Product is the proof for one operation of one provider, and merchants with one contract.
type Product struct {
	Payment   policy.Payment       `json:"payment"`   // an example; amount and currency are not used
	Merchants []string             `json:"merchants"` // "" is every merchant without a file
	Captures  []policy.CaptureMode `json:"captures"`
	Terms     policy.Terms         `json:"terms"`   // of the example's merchant
	Facts     []string             `json:"facts"`   // what the catalogue says
	Answers   [3][]policy.Answer   `json:"answers"` // by phase: one of each class
	Asked     []Asked              `json:"asked"`   // what the rules decide
	Uses      []Use                `json:"uses"`    // the promises of the provider that the proof needs
	Closed    []Closed             `json:"-"`       // the states
}

// Question is what the rules are asked: phase, index of the answer's class, then effect, class, stage, reach and finality of the
// fact that they are shown, and whether the flow is in doubt.
type Question [8]byte

// Asked is every decision that rules make about a question.
type Asked struct {
	Question Question `json:"question"`
	Choices  []Choice `json:"choices"`
}

// Choice is one of them.
type Choice struct {
	Action policy.Action `json:"action"`
	Waits  bool          `json:"waits,omitempty"` // there is a schedule
	Rules  []string      `json:"rules"`           // all that decide so; "" is the lack of one
}

// Use is a promise with the rule that relies on it. No rule: the flow does by itself.
type Use struct {
	Promise string `json:"promise"`
	Rule    string `json:"rule"`
}

// Closed is an abstract state of the flow, with everything that can be true of the money then, in ascending order.
type Closed struct {
	State  State
	Worlds []uint32
}

// Most is the number of identities that a state can hold.
const Most = 4

// State is an abstract state of a flow. A zero action is none; others are one more than the action.
type State struct {
	Stage, Outcome, AskedBy, Action, Via, Displaced, DisplacedVia, Count uint8

	IDs [Most]Identity
}

// Identity is what a state holds of one identity.
type Identity struct {
	Order, Sends, Copies, Effect, Prior, Class, Age uint8

	Theirs, Mismatch, Disputed, Contested, Reopened bool
}
