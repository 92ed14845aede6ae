package diff

import (
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// Risk is the direction in which a change moves the risk that money goes wrong.
type Risk string

// The directions, the worst first.
const (
	Riskier Risk = "riskier"
	Safer   Risk = "safer"
	Other   Risk = "other"
)

// knowledge is what is known of the money when a rule is asked. Every situation is in exactly
// one of the entries of evidence.
type knowledge struct {
	name   string
	where  region.Region
	danger map[policy.Action]int
}

// evidence rates each action: 0 queries or ends correctly; 1 sends where nothing is in doubt;
// 2 repeats in doubt, which relies on the provider to detect repeats; 3 is what S1 to S3
// forbid.
var (
	evidence = []knowledge{
		{"executed, and of another amount or disputed", region.Region{executed.With(space.Class, odd)}, danger{
			policy.MarkSucceeded: 3, policy.MarkFailed: 3, policy.RetrySame: 3, policy.RetryNewRequest: 3, policy.RetryNewOrder: 3,
		}},
		{"executed", region.Region{executed.With(space.Class, space.Bit(policy.All[policy.Class]()...)&^odd)}, danger{
			policy.MarkFailed: 3, policy.RetrySame: 3, policy.RetryNewRequest: 3, policy.RetryNewOrder: 3,
		}},
		{"in doubt", region.Region{
			{{Dim: space.Effect, Set: space.Bit(policy.Unknown, policy.Pending)}},
			{{Dim: space.Effect, Set: space.Bit(policy.NotExecuted)}, {Dim: space.InDoubt, Set: region.Words(2)}},
		}, danger{
			policy.MarkSucceeded: 3, policy.MarkFailed: 3, policy.RetrySame: 2, policy.RetryNewRequest: 3, policy.RetryNewOrder: 3,
		}},
		{"not executed", region.Region{
			{{Dim: space.Effect, Set: space.Bit(policy.NotExecuted)}, {Dim: space.InDoubt, Set: region.Words(1)}},
		}, danger{
			policy.MarkSucceeded: 3, policy.RetrySame: 1, policy.RetryNewRequest: 1, policy.RetryNewOrder: 1,
		}},
	}
	executed = region.Box{{Dim: space.Effect, Set: space.Bit(policy.Executed)}}
	odd      = space.Bit(policy.Mismatch, policy.Disputed)
)

type danger = map[policy.Action]int

// moves returns the direction from one action to another.
func (k *knowledge) moves(from, to policy.Action) Risk {
	switch a, b := k.danger[from], k.danger[to]; {
	case b > a:
		return Riskier
	case b < a:
		return Safer
	}
	return Other
}

// movesFact returns the direction of a changed fact. New certainty is riskier, and so is
// certainty of something else.
func movesFact(from, to policy.Fact) Risk {
	switch {
	case from.Effect == to.Effect:
		return Other
	case to.Effect.Settled():
		return Riskier
	case from.Effect.Settled():
		return Safer
	}
	return Other
}
