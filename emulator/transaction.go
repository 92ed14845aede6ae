package emulator

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// firstAnswer is what the call itself is told.
func (w *World) firstAnswer(t *transaction) policy.Answer {
	if w.fate.Murky {
		if p, ok := w.speech.pick(w.rand, policy.Send, func(p *phrase) bool {
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
	if p, ok := w.speech.pick(w.rand, policy.Send, underWay(t.executes)); ok {
		return t.name(p.answer)
	}
	if a, ok := t.end(policy.Send); ok { // no words for "in process": it ends at once
		t.settles, t.final = t.arrived, true
		return a
	}
	return name(policy.Answer{Phase: policy.Send, HTTPStatus: 200}, t.orderID, t.requestID)
}

// misses reports whether a reason can be said of a request that was processed.
func misses(c policy.Class) bool {
	switch c {
	case policy.ProviderError, policy.ChannelError, policy.NetworkError, policy.Processing:
		return true
	default:
		return false
	}
}

// end is how a settled transaction is told in a phase.
func (t *transaction) end(ph policy.Phase) (policy.Answer, bool) {
	if a, ok := t.ends[ph]; ok {
		return a, true
	}
	w := t.world
	want := effect(policy.Executed, policy.Result, policy.Success, policy.Authorized, policy.Cancelled, policy.AlreadyDone)
	if !t.executes {
		want = effect(policy.NotExecuted, policy.Result)
		for _, other := range policy.Phases() { // the same reason in every phase, if it has one
			reason, said := t.ends[other]
			if !said {
				continue
			}
			if p, ok := w.speech.pick(w.rand, ph, func(p *phrase) bool {
				return p.fact.Effect == policy.NotExecuted && p.answer.Code == reason.Code && p.answer.SubCode == reason.SubCode && p.answer.Status == reason.Status
			}); ok {
				return t.name(p.answer), true
			}
		}
	}
	p, ok := w.speech.pick(w.rand, ph, want)
	if !ok {
		return policy.Answer{}, false
	}
	a := t.name(p.answer)
	t.ends[ph] = a
	return a, true
}

// last is what the provider says of a settled transaction, in a phase that may have no
// words for its end.
func (t *transaction) last(ph policy.Phase) policy.Answer {
	if a, ok := t.end(ph); ok {
		return a
	}
	w := t.world
	if p, ok := w.speech.pick(w.rand, ph, func(p *phrase) bool { return !p.fact.Effect.Settled() && p.fact.Stage == policy.Result }); ok {
		return t.name(p.answer)
	}
	return t.name(policy.Answer{Phase: ph, HTTPStatus: 200})
}

// asked is what a query is told of a transaction.
func (t *transaction) asked(at time.Time) policy.Answer {
	if t.over(at) {
		return t.last(policy.Query)
	}
	return t.underWay()
}

// underWay is what a query says of a transaction before its end, the same every time
// but for a shopper's try that failed.
func (t *transaction) underWay() policy.Answer {
	w := t.world
	tries := func(p *phrase) bool { return p.fact.Reach == policy.OneAttempt }
	if w.rand.IntN(8) == 0 {
		if p, ok := w.speech.pick(w.rand, policy.Query, tries); ok {
			return t.name(p.answer)
		}
	}
	if t.waiting == nil {
		p, ok := w.speech.pick(w.rand, policy.Query, underWay(t.executes))
		if !ok {
			p, ok = w.speech.pick(w.rand, policy.Query, effect(policy.Unknown, policy.Result, policy.NotYet, policy.Processing))
		}
		if !ok {
			p.answer = policy.Answer{Phase: policy.Query, HTTPStatus: 200}
		}
		t.waiting = &p.answer
	}
	return t.name(*t.waiting)
}

// hook is the webhook about a transaction's end. ok is false when there is none: the
// contract has none, the end was told in the answer, or there are no words for it.
func (t *transaction) hook() (h Hook, ok bool) {
	if !t.contract().Webhook || t.final {
		return h, false
	}
	a, ok := t.end(policy.Webhook)
	if !ok {
		return h, false
	}
	a.Verified = true
	return Hook{
		At: t.settles.Add(t.world.fate.HookDelay), Operation: t.world.payment.Operation,
		OrderID: t.orderID, RequestID: t.requestID, URL: t.notify, Answer: a,
	}, true
}

// name says which transaction an answer is about.
func (t *transaction) name(a policy.Answer) policy.Answer {
	a.OrderID, a.RequestID, a.ProviderID = t.orderID, t.requestID, t.providerID
	a.Amount, a.Currency = t.amount, t.currency
	return a
}

func (b *book) ledger(until time.Time) []Execution {
	var all []Execution
	for _, t := range b.made {
		if t.executes && !t.settles.After(until) {
			all = append(all, Execution{
				Operation: t.world.payment.Operation, OrderID: t.orderID, RequestID: t.requestID, ProviderID: t.providerID,
				Amount: t.amount, Currency: t.currency, At: t.settles,
			})
		}
	}
	return all
}
