package emulation

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// firstAnswer is the reply to the call itself.
func (pay *Payment) firstAnswer(t *transaction) policy.Answer {
	if pay.fate.Murky {
		if p, ok := pay.replies.pick(pay.rand, policy.Send, func(p *sample) bool {
			return p.fact.Effect == policy.Unknown && misses(p.fact.Class)
		}); ok {
			return name(p.answer, t.orderID, t.requestID)
		}
	}
	if t.settles.Equal(t.arrived) {
		if a, ok := t.end(policy.Send); ok {
			t.final = true
			return a
		}
	}
	if p, ok := pay.replies.pick(pay.rand, policy.Send, underWay(t.executes)); ok {
		return t.name(p.answer)
	}
	if a, ok := t.end(policy.Send); ok { // no reply for "in process": it ends at once
		t.settles, t.final = t.arrived, true
		return a
	}
	return name(policy.Answer{Phase: policy.Send, HTTPStatus: 200}, t.orderID, t.requestID)
}

// misses reports whether a reason fits a request that was processed.
func misses(c policy.Class) bool {
	switch c {
	case policy.ProviderError, policy.ChannelError, policy.NetworkError, policy.Processing:
		return true
	default:
		return false
	}
}

// end is the reply about a settled transaction in a phase.
func (t *transaction) end(ph policy.Phase) (policy.Answer, bool) {
	if a, ok := t.ends[ph]; ok {
		return a, true
	}
	pay := t.owner
	want := effect(policy.Executed, policy.Result, policy.Success, policy.Authorized, policy.Cancelled, policy.AlreadyDone)
	if !t.executes {
		want = effect(policy.NotExecuted, policy.Result)
		for _, other := range policy.Phases() { // the same reason in every phase, if it has one
			reason, said := t.ends[other]
			if !said {
				continue
			}
			if p, ok := pay.replies.pick(pay.rand, ph, func(p *sample) bool {
				return p.fact.Effect == policy.NotExecuted && p.answer.Code == reason.Code && p.answer.SubCode == reason.SubCode && p.answer.Status == reason.Status
			}); ok {
				return t.name(p.answer), true
			}
		}
	}
	p, ok := pay.replies.pick(pay.rand, ph, want)
	if !ok {
		return policy.Answer{}, false
	}
	a := t.name(p.answer)
	t.ends[ph] = a
	return a, true
}

// last is the reply about a settled transaction, in a phase that may have no
// reply for its end.
func (t *transaction) last(ph policy.Phase) policy.Answer {
	if a, ok := t.end(ph); ok {
		return a
	}
	pay := t.owner
	if p, ok := pay.replies.pick(pay.rand, ph, func(p *sample) bool { return !p.fact.Effect.Settled() && p.fact.Stage == policy.Result }); ok {
		return t.name(p.answer)
	}
	return t.name(policy.Answer{Phase: ph, HTTPStatus: 200})
}

// queryReply is the reply to a query about a transaction.
func (t *transaction) queryReply(at time.Time) policy.Answer {
	if t.over(at) {
		return t.last(policy.Query)
	}
	return t.underWay()
}

// underWay is what a query says of a transaction before its end, the same every time
// except for a shopper's try that failed.
func (t *transaction) underWay() policy.Answer {
	pay := t.owner
	tries := func(p *sample) bool { return p.fact.Reach == policy.OneAttempt }
	if pay.rand.IntN(8) == 0 {
		if p, ok := pay.replies.pick(pay.rand, policy.Query, tries); ok {
			return t.name(p.answer)
		}
	}
	if t.waiting == nil {
		p, ok := pay.replies.pick(pay.rand, policy.Query, underWay(t.executes))
		if !ok {
			p, ok = pay.replies.pick(pay.rand, policy.Query, effect(policy.Unknown, policy.Result, policy.NotYet, policy.Processing))
		}
		if !ok {
			p.answer = policy.Answer{Phase: policy.Query, HTTPStatus: 200}
		}
		t.waiting = &p.answer
	}
	return t.name(*t.waiting)
}

// hook is the webhook about a transaction's end. ok is false when there is none: the
// contract has none, the answer reported the end already, or no reply fits it.
func (t *transaction) hook() (h Webhook, ok bool) {
	if !t.contract().Webhook || t.final {
		return h, false
	}
	a, ok := t.end(policy.Webhook)
	if !ok {
		return h, false
	}
	a.Verified = true
	return Webhook{
		At: t.settles.Add(t.owner.fate.WebhookDelay), Operation: t.owner.of.Operation,
		OrderID: t.orderID, RequestID: t.requestID, URL: t.notify, Answer: a,
	}, true
}

// name says which transaction an answer is about.
func (t *transaction) name(a policy.Answer) policy.Answer {
	a.OrderID, a.RequestID, a.ProviderID = t.orderID, t.requestID, t.providerID
	a.Amount, a.Currency = t.amount, t.currency
	return a
}

func (b *index) ledger(until time.Time) []Execution {
	var all []Execution
	for _, t := range b.made {
		if t.executes && !t.settles.After(until) {
			all = append(all, Execution{
				Operation: t.owner.of.Operation, OrderID: t.orderID, RequestID: t.requestID, ProviderID: t.providerID,
				Amount: t.amount, Currency: t.currency, At: t.settles,
			})
		}
	}
	return all
}
