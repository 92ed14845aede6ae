package flow

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Stage is where a flow stands.
type Stage string

// The stages.
const (
	New      Stage = ""         // not started
	Sending  Stage = "sending"  // a request is under way, or may be
	Querying Stage = "querying" // a status query is under way
	Waiting  Stage = "waiting"  // for State.Next.At, or for a webhook
	Ended    Stage = "ended"    // State.Outcome says how
)

// Identity is one pair of identifiers under which a request was sent, and what is
// known of it.
type Identity struct {
	OrderID    string        `json:"order_id"`
	RequestID  string        `json:"request_id"`
	ProviderID string        `json:"provider_id,omitempty"` // the provider's own, once it said
	Sends      int           `json:"sends"`
	Copies     int           `json:"copies"` // sends that may have left something at the provider
	FirstSent  time.Time     `json:"first_sent"`
	LastSent   time.Time     `json:"last_sent"`
	Deadline   time.Time     `json:"deadline"` // of the last send: after it we stop listening
	Effect     policy.Effect `json:"effect"`
	Fact       policy.Fact   `json:"fact"`                // what proved the effect
	Mismatch   bool          `json:"mismatch,omitempty"`  // an answer said: with another amount or currency
	Disputed   bool          `json:"disputed,omitempty"`  // an answer said: disputed, or charged back
	Contested  bool          `json:"contested,omitempty"` // proved executed and proved not, or an unknown request executed under its order
	Reopened   bool          `json:"reopened,omitempty"`  // known not to have executed, until the provider said that it goes on
	Prior      policy.Effect `json:"prior"`               // what was known before the last send
}

// Next is what a waiting flow will do.
type Next struct {
	Action policy.Action `json:"action"`
	At     time.Time     `json:"at"`
	Via    Via           `json:"via,omitempty"`
}

// Via is how a status is found out.
type Via string

// The ways to find out a status.
const (
	ByQuery   Via = "query"   // the provider has a query
	ByWebhook Via = "webhook" // it has none, but reports the end by itself
)

// Evidence is one answer and what it was taken to prove.
type Evidence struct {
	At       time.Time      `json:"at"`
	Phase    policy.Phase   `json:"phase"`
	Identity int            `json:"identity"` // index in the ledger; -1: of no identity of ours
	Answer   *policy.Answer `json:"answer"`
	Fact     policy.Fact    `json:"fact"`
	Person   string         `json:"person,omitempty"` // whose word it is, if no provider said it
}

// State is a flow at rest: plain data that can be stored as JSON between steps. The
// zero value, with Payment set, is a flow that has not started.
type State struct {
	Payment   policy.Payment    `json:"payment"`
	Stage     Stage             `json:"stage"`
	Started   time.Time         `json:"started"`            // when the payment was accepted
	NotAfter  time.Time         `json:"not_after,omitzero"` // nothing is sent from then on; zero: max_elapsed bounds it alone
	Target    string            `json:"target,omitempty"`   // the provider's id of what a capture, cancel or refund works on
	Ledger    []Identity        `json:"ledger"`
	Attempts  int               `json:"attempts"` // sends
	Queries   int               `json:"queries"`
	Hastened  int               `json:"hastened,omitempty"`  // queries brought forward by unverified webhooks
	Fired     policy.Counts     `json:"fired,omitempty"`     // how often each rule was followed
	Waits     policy.Counts     `json:"waits,omitempty"`     // how often each schedule was used
	Asked     time.Time         `json:"asked"`               // when the latest query was asked
	AskedBy   policy.Identifier `json:"asked_by,omitempty"`  // and by which identifier
	Displaced *Next             `json:"displaced,omitempty"` // what waits until the query for an unverified webhook is answered
	Next      Next              `json:"next"`
	Outcome   policy.Outcome    `json:"outcome"`
	Reason    string            `json:"reason,omitempty"` // why it ended so
	Class     policy.Class      `json:"class"`            // of the answer that ended it
	Evidence  []Evidence        `json:"evidence,omitempty"`
	Withdrawn string            `json:"withdrawn,omitempty"` // why nothing more is sent; empty: not withdrawn

	// NewOrderPossible: the flow failed, and could be tried again under another order id, but no
	// such id was supplied.
	NewOrderPossible bool `json:"new_order_possible,omitempty"`
}

// InDoubt reports whether an identity already sent may still execute.
func (s *State) InDoubt() bool {
	for i := range s.Ledger {
		if id := &s.Ledger[i]; /*guard:doubt-is-seen*/ id.Sends > 0 && !id.Effect.Settled() {
			return true
		}
	}
	return false
}

// reopened reports whether an identity before the last is in doubt again. It was known not to
// have executed when the next one was sent.
func (s *State) reopened() bool {
	for i := range max(0, len(s.Ledger)-1) {
		if id := &s.Ledger[i]; id.Sends > 0 && !id.Effect.Settled() && /*guard:earlier-doubt-is-seen*/ (id.Reopened || id.Contested) {
			return true
		}
	}
	return false
}

// earlierInDoubt reports whether an identity before the last may still execute.
func (s *State) earlierInDoubt() bool {
	before := State{Ledger: s.Ledger[:max(0, len(s.Ledger)-1)]}
	return before.InDoubt()
}

// allNotExecuted reports whether every identity is known never to execute.
func (s *State) allNotExecuted() bool {
	for i := range s.Ledger {
		if id := &s.Ledger[i]; id.Sends > 0 && /*guard:executed-is-not-certain*/ id.Effect != policy.NotExecuted {
			return /*guard:all-not-executed*/ false
		}
	}
	return true
}

// proved reports whether the provider proved one execution, of this amount, that
// nothing contradicts, while no identity that was sent after it may execute as well.
func (s *State) proved() bool {
	executed := 0
	for i := range s.Ledger {
		switch id := &s.Ledger[i]; {
		case id.Sends == 0 || id.Effect == policy.NotExecuted:
		case /*guard:contested-is-no-proof*/ id.Contested:
			return false
		case id.Effect == policy.Executed && /*guard:mismatch-is-no-proof*/ !id.Mismatch:
			/*guard:executions-are-counted*/ executed++
		case id.Effect == policy.Executed || /*guard:later-doubt-is-no-proof*/ executed > 0:
			return false
		}
	}
	return /*guard:proof-is-one-execution*/ executed == 1
}

// disputed reports whether an answer about the payment said that it is disputed. No later answer takes
// that back, and no refusal of the request that it was about: only a person does.
func (s *State) disputed() bool {
	for i := range s.Ledger {
		if s.Ledger[i].Disputed {
			return true
		}
	}
	return false
}

// executed is an identity that is known to have executed; nil: none is.
func (s *State) executed() *Identity {
	for i := range s.Ledger {
		if id := &s.Ledger[i]; id.Sends > 0 && id.Effect == policy.Executed {
			return id
		}
	}
	return nil
}

// current is the identity sent last.
func (s *State) current() *Identity { return &s.Ledger[len(s.Ledger)-1] }

// How much evidence is kept. The first answers show how the doubt began and the last ones how it
// stands; the person who looks at an escalated flow needs both, and a flow of a day has hundreds.
const (
	evidenceHead = 4
	evidenceTail = 12
)

// addEvidence appends to the evidence, and drops one from the middle where it is long: an answer,
// never a person's word. The slice has no room behind it that belongs to another state (see
// newMachine).
func (s *State) addEvidence(e Evidence) {
	if len(s.Evidence) >= evidenceHead+evidenceTail {
		for i := evidenceHead; i < len(s.Evidence); i++ {
			if s.Evidence[i].Person == "" {
				s.Evidence = slices.Concat(s.Evidence[:i], s.Evidence[i+1:])
				break
			}
		}
	}
	s.Evidence = append(s.Evidence, e)
}
