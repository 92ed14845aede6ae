package adversary

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// noteDispute keeps that an answer about the payment said that it is disputed. One that only an id names
// which the flow does not know is of no use to it.
func (w *walker) noteDispute(e flow.Event) {
	var a policy.Answer
	switch e := e.(type) {
	case flow.Answered:
		a = e.Answer
		a.Phase = policy.Send
	case flow.Queried:
		a = e.Answer
		a.Phase = policy.Query
	case flow.Received:
		a = e.Answer
		a.Phase = policy.Webhook
		if !a.Verified {
			return
		}
	default:
		return
	}
	last := w.state.Evidence[len(w.state.Evidence)-1]
	if last.Identity >= 0 && a.RequestID != strangersRequest && w.decider.Judge(&w.payment, &a).Class == policy.Disputed {
		w.world.disputed = true
	}
}
