package audit

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// A flow may hold several operations of an order, and an order may be captured or refunded in parts, each an intent of its own. With a payment
// key each part has its key. Without one, only their amounts tell them apart: two of different amounts are two intents, and of two
// that are alike nothing says whether the second is a part or a repetition. It may be either.

// inParts reports whether an operation may be carried out several times for one order.
func inParts(op policy.Operation) bool { return op == policy.Capture || op == policy.Refund }

// moves is the operation that stands for those that move the same money: a purchase may be tried by both.
func moves(op policy.Operation) policy.Operation {
	if op == policy.Checkout {
		return policy.Pay
	}
	return op
}

// intent is what sends have in common that serve the same one. The amount is not compared where it is -1, and a key or currency not where it is
// empty.
type intent struct {
	operation policy.Operation
	key       string
	amount    int64
	currency  string
}

// unsure reports whether a second execution may be another part of the order, another operation's, or another purchase under an order id that
// is used again.
func (p *payment) unsure() bool {
	return p.mixed || p.loose || slices.ContainsFunc(p.events, func(e event) bool {
		return e.phase == recorded.Send && inParts(e.payment.Operation) && e.payment.Key == ""
	})
}

// named is what the sends of an operation all have.
type named struct{ keys, amounts, currencies bool }

// namings are those of each operation.
func (p *payment) namings() map[policy.Operation]named {
	all := map[policy.Operation]named{}
	for n := range p.events {
		e := &p.events[n]
		if e.phase != recorded.Send {
			continue
		}
		op := moves(e.payment.Operation)
		has, known := all[op]
		if !known {
			has = named{true, true, true}
		}
		has.keys, has.amounts, has.currencies = has.keys && e.payment.Key != "", has.amounts && e.payment.Amount != 0, has.currencies && e.payment.Currency != ""
		all[op] = has
	}
	return all
}

// intentOf is what a send serves.
func intentOf(of *policy.Payment, has named) intent {
	i := intent{moves(of.Operation), "", -1, ""}
	switch {
	case !inParts(of.Operation):
	case has.keys:
		i.key = of.Key
	case has.amounts:
		if i.amount = of.Amount; has.currencies {
			i.currency = of.Currency
		}
	}
	return i
}

// parts takes a payment apart by what its sends ask for. It is one part where they ask for one thing, or where it cannot be said which of them
// reconciliation found.
func (p *payment) parts() []*payment {
	var intents []intent
	parts := map[intent]*payment{}
	namings := p.namings()
	for n := range p.events {
		e := &p.events[n]
		if e.phase != recorded.Send {
			continue
		}
		i := intentOf(e.payment, namings[moves(e.payment.Operation)])
		if parts[i] == nil {
			parts[i] = &payment{payment: *e.payment, flows: p.flows, last: p.last, loose: p.loose}
			intents = append(intents, i)
		}
		parts[i].events = append(parts[i].events, *e)
	}
	if len(intents) < 2 {
		return []*payment{p}
	}
	all := make([]*payment, len(intents))
	for k, i := range intents {
		all[k] = parts[i]
	}
	if !p.share(intents, all) {
		p.mixed = true
		return []*payment{p}
	}
	p.spread(intents, all)
	return all
}

// spread gives the parts what came beside the sends: an answer to the one that it is about, and an end to those that it can be about.
func (p *payment) spread(intents []intent, parts []*payment) {
	sends := make([]map[string]time.Time, len(parts)) // the first, by flow
	for k, part := range parts {
		sends[k] = map[string]time.Time{}
		for n := range part.events {
			e := &part.events[n]
			if at, known := sends[k][e.flow]; !known || e.at.Before(at) {
				sends[k][e.flow] = e.at
			}
		}
	}
	for n := range p.events {
		switch e := &p.events[n]; e.phase {
		case recorded.Send:
		case recorded.End:
			for _, k := range endedBy(sends, e) {
				parts[k].events = append(parts[k].events, *e)
			}
		case recorded.Truth:
			for _, part := range parts {
				part.events = append(part.events, *e)
			}
		case recorded.Query, recorded.Webhook:
			if k := about(intents, parts, e); k >= 0 {
				parts[k].events = append(parts[k].events, *e)
			}
		}
	}
	for _, part := range parts {
		slices.SortStableFunc(part.events, func(a, b event) int { return a.at.Compare(b.at) })
	}
}

// endedBy are the parts that an end is about: those that its flow had sent by then. Where clocks say that there was none, it may be any of the flow's,
// and without one any at all.
func endedBy(sends []map[string]time.Time, end *event) []int {
	var all, own, begun []int
	for k := range sends {
		all = append(all, k)
		at, sent := sends[k][end.flow]
		if sent {
			own = append(own, k)
		}
		if sent && !at.After(end.at) {
			begun = append(begun, k)
		}
	}
	switch {
	case len(begun) > 0:
		return begun
	case len(own) > 0:
		return own
	}
	return all
}

// about is the part that an answer is about; -1: it may be any of several, and is evidence of none.
func about(intents []intent, parts []*payment, e *event) int {
	var fits []int
	named := false
	for k, i := range intents {
		if i.operation != moves(e.payment.Operation) || differ(e.payment.Key, i.key) || i.amount >= 0 && (differAmounts(e.answer.Amount, i.amount) || differAmounts(e.payment.Amount, i.amount) || differ(e.answer.Currency, i.currency)) {
			continue
		}
		names := slices.ContainsFunc(parts[k].events, func(s event) bool {
			return s.phase == recorded.Send && (s.request != "" && (s.request == e.request || s.request == e.answer.RequestID) || s.own != "" && s.own == e.own && !ofAnother(i.operation))
		})
		if names && !named {
			fits, named = nil, true
		}
		if names || !named {
			fits = append(fits, k)
		}
	}
	if len(fits) != 1 {
		return -1
	}
	return fits[0]
}

// share gives each part what reconciliation found of it. It reports false where an execution may be of several parts, or of none.
func (p *payment) share(intents []intent, parts []*payment) bool {
	for flow, t := range p.truths {
		for _, part := range parts {
			part.reconciled(flow).at = t.at
		}
		for k := range t.executions {
			of := whose(intents, parts, &t.executions[k])
			if of == nil {
				return false
			}
			own := of.reconciled(flow)
			own.executions = append(own.executions, t.executions[k])
		}
	}
	return true
}

// whose is the part that an execution is of: the one that it names, and of several the one with its amount; nil: it cannot be said.
func whose(intents []intent, parts []*payment, x *recorded.Execution) *payment {
	var fits, alike []*payment
	for k, part := range parts {
		sent, asked := false, intents[k].amount < 0 && intents[k].key == ""
		for n := range part.events {
			s := &part.events[n]
			names := s.phase == recorded.Send && !differ(x.OrderID, s.order) && !differ(x.RequestID, s.request)
			sent, asked = sent || names, asked || names && !differAmounts(x.Amount, s.payment.Amount)
		}
		if sent {
			fits = append(fits, part)
		}
		if sent && asked {
			alike = append(alike, part)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0]
	case len(alike) == 1:
		return alike[0]
	}
	return nil
}

// gravest is the finding of a payment in parts. An end is of all parts together that it can be about: what one of them contradicts, another may be
// meant by.
func gravest(parts []*payment, findings []*Finding) *Finding {
	ends, failed, other := 0, 0, false
	for k, f := range findings {
		if !slices.ContainsFunc(parts[k].events, func(e event) bool { return e.phase == recorded.End }) {
			continue
		}
		ends++
		if f != nil && (f.Kind == FailedThoughExecuted || f.Kind == FailedInDoubt) {
			failed++
		}
		other = other || f == nil || f.Kind != SucceededThoughNot
	}
	var worst *Finding
	for _, f := range findings {
		switch {
		case f == nil, f.Kind == FailedThoughExecuted && failed < ends, f.Kind == SucceededThoughNot && other:
			continue
		case worst == nil || slices.Index(kinds, f.Kind) < slices.Index(kinds, worst.Kind):
			worst = f
		}
	}
	return worst
}

// requestTwice reports whether reconciliation found one and the same request twice.
func (f *found) requestTwice() bool {
	seen := map[[2]string]bool{}
	for _, x := range f.all {
		name := [2]string{x.OrderID, x.RequestID}
		if x.RequestID != "" && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}
