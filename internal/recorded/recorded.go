// Package recorded is the format of a recording, in one place: the type of a line, and the
// table of its keys. [Reader.Read] and [Line.Append] both go through that table, so a key that
// one of them knows is known to the other.
//
// Package recording writes lines in production, package simulate reads them, and the generator
// of test traffic and the model checker write lines of their own. What the body of a line means
// is the catalogue's to say, not this package's.
package recorded

import (
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Version is the version of the format that this package reads and writes.
const Version = 1

// Limits of a line, so that sums of many lines stay in range.
const (
	MaxLatency = 48 * time.Hour
	MaxAmount  = int64(1e15)
)

// Phase is what a line records. Send, Query and Webhook have the values of [policy.Phase].
type Phase uint8

// The phases.
const (
	Send Phase = iota
	Query
	Webhook
	End   // what the recorded client concluded
	Truth // what reconciliation found
)

var phaseNames = []string{"send", "query", "webhook", "end", "truth"}

func (p Phase) String() string { return phaseNames[p] }

// UnmarshalText reads the name of a phase.
func (p *Phase) UnmarshalText(b []byte) error {
	for i, name := range phaseNames {
		if string(b) == name {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("unknown phase %q (there are: %s)", b, strings.Join(phaseNames, ", "))
}

// IsAnswer reports whether lines of this phase hold an answer of the provider.
func (p Phase) IsAnswer() bool { return p <= Webhook }

// Line is one line of a recording. Which fields a line has depends on its phase; the others
// are zero. docs/simulate.md lists the keys.
type Line struct {
	Flow  string
	At    time.Time // to the microsecond
	Phase Phase

	Payment policy.Payment // of an end and a truth: the merchant alone

	// Under which identifiers the request was sent, or which the query or webhook named.
	QueryBy                        policy.Identifier
	OrderID, RequestID, ProviderID string

	Latency time.Duration // from At to the answer, in milliseconds

	// The decoded fields stand beside the body, or in its place. The identifiers, the amount
	// and the currency of an answer are no keys of a line: they are read from the body.
	Answer policy.Answer
	Header map[string]string // those that the catalogue reads
	Query  string            // of the URL that a webhook came to
	Lacks  []string          // of a send: what the format that it was imported from cannot hold
	Body   []byte            // JSON. Only for writing: the reader returns it parsed

	// Of a line of a decision log (cmd/recourse/internal/decisions): what was decided about the answer, and by which rules.
	Rules   string // their digest
	Asked   []byte // JSON: what went before the answer. Only for writing, as is Decided: see Reader.Decision
	Decided []byte // JSON

	Outcome    policy.Outcome // of an end
	Executions []Execution    // of a truth
}

// Execution is one movement of money that reconciliation found.
type Execution struct {
	OrderID, RequestID string
	Amount             int64     // in ISO 4217 minor units
	At                 time.Time // zero: not known
}
