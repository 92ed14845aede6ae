package verify

import (
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// askedBy returns the class of the answer that a transition brings. A process that takes over
// counts the call that was left behind as one without an answer.
func (m *model) askedBy(tr transition) *answerClass {
	switch tr.kind {
	case kindAnswer, kindLateAnswer:
		return &m.facts.classes[policy.Send][tr.class]
	case kindNotSent:
		return &m.facts.notSentClass
	case kindQueryAnswer, kindLateQueryAnswer:
		return &m.facts.classes[policy.Query][tr.class]
	case kindWebhook, kindUnverified:
		return &m.facts.classes[policy.Webhook][tr.class]
	case kindResume:
		if m.steps.from.s.Stage == flow.Querying {
			return &m.facts.lostClass[policy.Query]
		}
		return &m.facts.lostClass[policy.Send]
	case kindStart, kindDue, kindWithdraw, kindResolve, kindTime, kindSecondFlow:
	}
	return nil
}

// eventKey identifies an event with an answer. The names of identities end in their number.
type eventKey struct {
	kind           transitionKind
	sending        bool
	class          int16
	variant        uint8
	order, request byte // of the identity
	last           byte // request of the latest identity
}

// eventOf is the event of a transition from the node whose successors are listed.
func (m *model) eventOf(tr transition) flow.Event {
	n := m.steps.from
	switch tr.kind {
	case kindAnswer, kindLateAnswer, kindQueryAnswer, kindLateQueryAnswer, kindWebhook, kindUnverified:
	case kindStart, kindNotSent, kindDue, kindResume, kindWithdraw, kindResolve, kindTime, kindSecondFlow:
		return m.newEvent(tr)
	}
	end := func(name string) byte { return name[len(name)-1] }
	id, last := &n.s.Ledger[tr.id], &n.s.Ledger[len(n.s.Ledger)-1]
	key := eventKey{tr.kind, n.s.Stage == flow.Sending, tr.class, tr.variant, end(id.OrderID), end(id.RequestID), end(last.RequestID)}
	e, known := m.steps.events[key]
	if !known {
		e = m.newEvent(tr)
		m.steps.events[key] = e
	}
	m.reads.phases[m.askedBy(tr).answer.Phase] = true
	return e
}

// newEvent makes the event of a transition.
func (m *model) newEvent(tr transition) flow.Event {
	n := m.steps.from
	switch tr.kind {
	case kindStart:
		return m.withTarget(flow.Start{Moment: now, OrderID: orderID(0), RequestID: requestID(0)})
	case kindSecondFlow:
		k := n.unusedNumber()
		e := flow.Start{Moment: now, RequestID: requestID(k), OrderID: orderID(k), Earlier: n.s.Ledger}
		if tr.variant == namesOrder {
			e.OrderID = n.s.Ledger[len(n.s.Ledger)-1].OrderID
		}
		return m.withTarget(e)
	case kindNotSent:
		return flow.Answered{Moment: now, Answer: policy.Answer{Fault: policy.NotSent}}
	case kindAnswer:
		return flow.Answered{Moment: now, Answer: m.named(policy.Send, tr)}
	case kindLateAnswer:
		e := flow.Answered{Moment: now, Answer: m.named(policy.Send, tr)}
		if n.s.Stage == flow.Sending {
			e.Attempt = 1 // an earlier call, not the one under way
		}
		return e
	case kindQueryAnswer:
		return flow.Queried{Moment: now, Answer: m.named(policy.Query, tr)}
	case kindLateQueryAnswer:
		return flow.Queried{Moment: now, Answer: m.named(policy.Query, tr), Query: -1}
	case kindWebhook:
		a := m.named(policy.Webhook, tr)
		a.Verified = true
		return flow.Received{Moment: now, Answer: a}
	case kindUnverified:
		return flow.Received{Moment: now, Answer: m.named(policy.Webhook, tr)}
	case kindDue:
		k := n.unusedNumber()
		e := flow.Due{Moment: now, RequestID: requestID(k)}
		if n.s.Next.Action == policy.RetryNewOrder && tr.variant == namesNothing { // else the caller supplies no new order id
			e.OrderID = orderID(k)
		}
		return e
	case kindResume:
		return flow.Resumed{Moment: now}
	case kindWithdraw:
		return flow.Withdrawn{Moment: now, Why: "withdrawn"}
	case kindResolve:
		return flow.Resolved{Moment: now, Identity: int(tr.id), Effect: policy.Effect(tr.variant &^ endsDispute), Who: "operator", Why: "checked"}
	case kindTime:
	}
	return nil
}

// withTarget gives the first identity the provider's id that the operation works on.
func (m *model) withTarget(e flow.Start) flow.Start {
	if m.hasTarget() {
		e.ProviderID = targetID
	}
	return e
}

// otherCurrency is a code that is not the payment's: the one that ISO 4217 has for tests, else the one for no currency.
func otherCurrency(p *policy.Payment) string {
	if strings.EqualFold(p.Currency, "XTS") {
		return "XXX"
	}
	return "XTS"
}

// named is the answer that a transition brings, with its names.
func (m *model) named(ph policy.Phase, tr transition) policy.Answer {
	a := m.facts.classes[ph][tr.class].answer
	s := &m.steps.from.s
	id := &s.Ledger[tr.id]
	switch {
	case tr.variant&otherAmount != 0:
		a.Amount, a.Currency = policy.OddAmount, ""
		if moneySaid(&m.payment) == saysCurrency {
			a.Currency = otherCurrency(&m.payment)
		}
	case tr.variant&wholeAmount != 0:
		a.Amount, a.Currency = m.payment.Amount, m.payment.Currency
	}
	switch tr.variant &^ (otherAmount | wholeAmount) {
	case namesOrder:
		a.OrderID = id.OrderID
	case namesBoth, namesOneOfTwo:
		a.OrderID, a.RequestID = id.OrderID, id.RequestID
	case namesProviderID, namesUnknownID:
		a.ProviderID = providerID(id.RequestID)
	case namesOther:
		a.OrderID = "another-client's"
	case namesForeign:
		a.OrderID, a.RequestID = id.OrderID, "another-client's"
	case namesStranger:
		a.ProviderID = "of a stranger"
	case namesZero:
		a.ProviderID = "0"
	case namesCrossed: // another merchant's order that reads as our request
		a.OrderID = s.Ledger[len(s.Ledger)-1].RequestID
	case namesTarget:
		a.ProviderID = targetID
	case namesSibling:
		a.OrderID, a.RequestID = id.OrderID, "of another operation"
	}
	return a
}
