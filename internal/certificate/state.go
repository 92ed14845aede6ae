package certificate

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Values of a fact that no catalogue has. They stand for what a proof does not follow.
const (
	Any = 255 // in the ledger: a class that makes every answer news
	Own = 254 // the answer's own class, reach and finality
)

// Now is the time of every step; ages count back from it.
var Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Target is the provider's id of the payment that a capture, cancel or refund works on.
const Target = "of the payment"

var (
	stages = []flow.Stage{flow.New, flow.Sending, flow.Querying, flow.Waiting, flow.Ended}
	vias   = []flow.Via{"", flow.ByQuery, flow.ByWebhook}
	bys    = []policy.Identifier{"", policy.OrderID, policy.RequestID, policy.ProviderID}
)

// OnTarget reports whether requests bear the provider's id of an earlier payment.
func OnTarget(p *policy.Payment) bool {
	return p.Operation == policy.Capture || p.Operation == policy.Cancel
}

// Name is the i-th name of a kind.
func Name(kind string, i int) string { return kind + "-" + string(rune('a'+i)) }

// StateOf returns the state of a flow, but for its identities.
func StateOf(s *flow.State) (a State) {
	a.Stage, a.Outcome = uint8(slices.Index(stages, s.Stage)), uint8(s.Outcome)
	if s.Stage == flow.Querying {
		a.AskedBy = uint8(slices.Index(bys, s.AskedBy))
	}
	if s.Stage == flow.Waiting {
		a.Action, a.Via = uint8(s.Next.Action)+1, uint8(slices.Index(vias, s.Next.Via))
	}
	if d := s.Displaced; d != nil && s.Stage != flow.Ended {
		a.Displaced, a.DisplacedVia = uint8(d.Action)+1, uint8(slices.Index(vias, d.Via))
	}
	return a
}

// Flow returns a flow that the state stands for; its times are set by each step.
func (a *State) Flow(p policy.Payment) flow.State {
	s := flow.State{Payment: p, Stage: stages[a.Stage], Outcome: policy.Outcome(a.Outcome), AskedBy: bys[a.AskedBy]}
	if OnTarget(&p) || p.Operation == policy.Refund {
		s.Target = Target
	}
	if a.Action > 0 {
		s.Next = flow.Next{Action: policy.Action(a.Action - 1), Via: vias[a.Via], At: Now}
	}
	if a.Displaced > 0 {
		s.Displaced = &flow.Next{Action: policy.Action(a.Displaced - 1), Via: vias[a.DisplacedVia], At: Now}
	}
	for i, is := range a.IDs[:a.Count] {
		id := flow.Identity{OrderID: Name("order", int(is.Order)), RequestID: Name("request", i), Sends: int(is.Sends), Copies: int(is.Copies), Effect: policy.Effect(is.Effect),
			Prior: policy.Effect(is.Prior), Mismatch: is.Mismatch, Disputed: is.Disputed, Contested: is.Contested, Reopened: is.Reopened, Fact: policy.Fact{Class: Any}}
		switch id.Effect {
		case policy.NotExecuted:
			id.Fact = policy.Fact{Effect: id.Effect, Class: Any, Reach: Any}
		case policy.Executed:
			id.Fact = policy.Fact{Effect: id.Effect, Class: policy.Class(is.Class), Reach: Own, Final: Own}
		case policy.Unknown, policy.Pending:
		}
		if is.Theirs {
			id.ProviderID = "of " + id.RequestID
			if OnTarget(&p) {
				id.ProviderID = Target
			}
		}
		s.Ledger = append(s.Ledger, id)
		s.Attempts = min(s.Attempts+id.Sends, 2)
	}
	return s
}
