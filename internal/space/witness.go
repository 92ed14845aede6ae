package space

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Question is a situation in the form that `recourse decide` reads. Replay, InDoubt and
// Verified say what the flow knew; the fact that follows is in [Witness].
type Question struct {
	Provider     string             `json:"provider"`
	Merchant     string             `json:"merchant,omitempty"`
	Operation    policy.Operation   `json:"operation"`
	Phase        policy.Phase       `json:"phase,omitempty"`
	Code         string             `json:"code,omitempty"`
	SubCode      string             `json:"sub_code,omitempty"`
	Status       string             `json:"status,omitempty"`
	SubStatus    string             `json:"sub_status,omitempty"`
	HTTPStatus   int                `json:"http_status,omitempty"`
	Fault        policy.Fault       `json:"fault,omitempty"`
	Message      string             `json:"message,omitempty"`
	Attempt      int                `json:"attempt,omitempty"`
	Queries      int                `json:"queries,omitempty"`
	Fired        map[string]int     `json:"fired,omitempty"`
	ElapsedMS    int64              `json:"elapsed_ms,omitempty"`
	At           *time.Time         `json:"at,omitempty"`
	RetryAfterMS int64              `json:"retry_after_ms,omitempty"`
	Amount       int64              `json:"amount,omitempty"`
	Currency     string             `json:"currency,omitempty"`
	Capture      policy.CaptureMode `json:"capture,omitempty"`
	Tags         map[string]string  `json:"tags,omitempty"`
	Replay       bool               `json:"replay,omitempty"`
	InDoubt      bool               `json:"in_doubt,omitempty"`
	Verified     bool               `json:"verified,omitempty"`
}

// Witness is a situation that shows a finding.
type Witness struct {
	Input  Question      `json:"input"`
	Fact   policy.Fact   `json:"fact"` // what the rules were shown
	Doubt  bool          `json:"in_doubt"`
	How    string        `json:"how"`            // judged, weakened or ledger
	Rule   string        `json:"rule,omitempty"` // what decides there; empty: no rule
	Action policy.Action `json:"action"`

	// Situation is what the engine was asked.
	Situation policy.Situation `json:"-"`
}

var howNames = []string{"judged", "weakened", "ledger"}

// String is judged, weakened or ledger.
func (h How) String() string { return howNames[h] }

// Witnessed writes a situation as a witness.
func Witnessed(sit policy.Situation, how How, d policy.Decision) *Witness {
	p, a := sit.Payment, sit.Answer
	q := Question{
		Provider: p.Provider, Merchant: p.Merchant, Operation: p.Operation, Phase: a.Phase, Code: a.Code, SubCode: a.SubCode,
		Status: a.Status, SubStatus: a.SubStatus, HTTPStatus: a.HTTPStatus, Fault: a.Fault, Message: a.Message,
		Queries: sit.Queries, ElapsedMS: sit.Elapsed.Milliseconds(), RetryAfterMS: a.RetryAfter.Milliseconds(),
		Amount: p.Amount, Currency: p.Currency, Capture: p.Capture, Tags: p.Tags,
		Verified: a.Phase == policy.Webhook && how == Judged,
		Replay:   a.Phase == policy.Send && how == Weakened,
		InDoubt:  sit.InDoubt && sit.Fact.Effect.Settled(),
	}
	if sit.Attempt > 1 {
		q.Attempt = sit.Attempt
	}
	if !sit.At.Equal(monday) {
		at := sit.At
		q.At = &at
	}
	for _, c := range sit.Fired {
		if q.Fired == nil {
			q.Fired = map[string]int{}
		}
		q.Fired[c.Name] = c.N
	}
	return &Witness{Input: q, Fact: sit.Fact, Doubt: sit.InDoubt, How: how.String(), Rule: d.Rule, Action: d.Action, Situation: sit}
}
