package audit

import (
	"slices"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// A payment may be captured or refunded in parts, each an intent of its own. With a payment key each part has its key. Without
// one, the parts of an order are in one flow, and only their amounts tell them apart: two of different amounts are two intents,
// and of two that are alike nothing says whether the second is a part or a repetition. It may be either.

// inParts reports whether an operation may be carried out several times for one order.
func inParts(op policy.Operation) bool { return op == policy.Capture || op == policy.Refund }

// intent is what sends without a payment key have in common that serve the same one. The amount is not compared where it is -1.
type intent struct {
	operation policy.Operation
	amount    int64
	currency  string
}

// unsure reports whether a second execution may be another part of the order.
func (p *payment) unsure() bool {
	return len(p.keys) == 0 && slices.ContainsFunc(p.events, func(e event) bool { return e.phase == recorded.Send && inParts(e.payment.Operation) })
}

// parts takes a payment without a key apart by what its sends ask for. It is one part where they ask for one thing, or where it
// cannot be said which of them reconciliation found.
func (p *payment) parts() []*payment {
	if len(p.keys) > 0 {
		return []*payment{p}
	}
	unknown := map[policy.Operation]bool{} // operations of which a send has no amount
	for n := range p.events {
		if e := &p.events[n]; e.phase == recorded.Send && e.payment.Amount == 0 {
			unknown[e.payment.Operation] = true
		}
	}
	of := func(e *event) intent {
		if op := e.payment.Operation; !inParts(op) || unknown[op] {
			return intent{op, -1, ""}
		}
		return intent{e.payment.Operation, e.payment.Amount, e.payment.Currency}
	}
	var intents []intent
	parts := map[intent]*payment{}
	for n := range p.events {
		e := &p.events[n]
		if e.phase != recorded.Send {
			continue
		}
		i := of(e)
		if parts[i] == nil {
			parts[i] = &payment{payment: *e.payment, flows: p.flows, last: p.last}
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
		return []*payment{p}
	}
	p.spread(intents, all)
	return all
}

// spread gives the parts what came beside the sends: an answer to the one that it is about, and ends to all.
func (p *payment) spread(intents []intent, parts []*payment) {
	for n := range p.events {
		switch e := &p.events[n]; e.phase {
		case recorded.Send:
		case recorded.End, recorded.Truth:
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

// about is the part that an answer is about; -1: it may be any of several, and is evidence of none.
func about(intents []intent, parts []*payment, e *event) int {
	var fits []int
	named := false
	for k, i := range intents {
		if i.operation != e.payment.Operation || i.amount >= 0 && (differAmounts(e.answer.Amount, i.amount) || differAmounts(e.payment.Amount, i.amount) || differ(e.answer.Currency, i.currency)) {
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
		for _, x := range t.executions {
			var fits []int
			for k, i := range intents {
				sent := slices.ContainsFunc(parts[k].events, func(s event) bool {
					return s.phase == recorded.Send && !differ(x.OrderID, s.order) && !differ(x.RequestID, s.request)
				})
				if sent && (i.amount < 0 || !differAmounts(x.Amount, i.amount)) {
					fits = append(fits, k)
				}
			}
			if len(fits) != 1 {
				return false
			}
			own := parts[fits[0]].reconciled(flow)
			own.executions = append(own.executions, x)
		}
	}
	return true
}

// gravest is the finding of a payment in parts. Its ends are of all parts together: what one part contradicts, another may be meant by.
func gravest(findings []*Finding) *Finding {
	failed := 0
	for _, f := range findings {
		if f != nil && (f.Kind == FailedThoughExecuted || f.Kind == FailedInDoubt) {
			failed++
		}
	}
	var worst *Finding
	for _, f := range findings {
		switch {
		case f == nil, f.Kind == FailedThoughExecuted && failed < len(findings), f.Kind == SucceededThoughNot && slices.ContainsFunc(findings, func(o *Finding) bool { return o == nil || o.Kind != SucceededThoughNot }):
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
