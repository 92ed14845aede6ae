package space

import (
	"github.com/recourse-pay/recourse/internal/question"
	"github.com/recourse-pay/recourse/policy"
)

// Witness is a situation that shows a finding.
type Witness struct {
	Input  question.Question `json:"input"`
	Fact   policy.Fact       `json:"fact"` // what the rules were shown
	Doubt  bool              `json:"in_doubt"`
	How    string            `json:"how"`            // judged, weakened or ledger
	Rule   string            `json:"rule,omitempty"` // what decides there; empty: no rule
	Action policy.Action     `json:"action"`

	// Situation is what the engine was asked.
	Situation policy.Situation `json:"-"`
}

var howNames = []string{"judged", "weakened", "ledger"}

// String is judged, weakened or ledger.
func (h How) String() string { return howNames[h] }

// Witnessed writes a situation as a witness.
func Witnessed(sit policy.Situation, how How, d policy.Decision) *Witness {
	p, a := sit.Payment, sit.Answer
	op := p.Operation
	q := question.Question{
		Provider: p.Provider, Merchant: p.Merchant, Operation: &op, Phase: a.Phase, Code: question.Scalar(a.Code), SubCode: question.Scalar(a.SubCode),
		Status: question.Scalar(a.Status), SubStatus: question.Scalar(a.SubStatus), HTTPStatus: a.HTTPStatus, Fault: a.Fault, Message: a.Message,
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
		q.At = sit.At
	}
	for _, c := range sit.Fired {
		if q.Fired == nil {
			q.Fired = map[string]int{}
		}
		q.Fired[c.Name] = c.N
	}
	return &Witness{Input: q, Fact: sit.Fact, Doubt: sit.InDoubt, How: how.String(), Rule: d.Rule, Action: d.Action, Situation: sit}
}
