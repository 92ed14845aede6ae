package audit

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// identity is what was sent to one provider under one pair of identifiers.
type identity struct {
	payment        *policy.Payment
	order, request string
	own            []string // the provider's ids
	began          int      // the event that began it
	first          time.Time
	sends          []int // events
	open           []int // of them, those that may have executed, or may yet
	reopened       bool  // a later answer says that it goes on, though every send was refused
	executed       int   // the event that proves it; -1: none
	proofs         []int // queries and notices that prove it
}

// may reports whether money may have moved, or may yet.
func (i *identity) may() bool { return len(i.open) > 0 || i.reopened }

// unsent reports whether no send of it is in the log.
func (i *identity) unsent() bool { return len(i.sends) == 0 }

// safe reports whether the provider promises that a repeat at a time executes nothing more. What is not in the log cannot be
// what the provider knew it by.
func (i *identity) safe(c *policy.Contract, at time.Time) bool {
	named := i.request != "" && slices.Contains(c.Dedupe, policy.RequestID) || i.order != "" && slices.Contains(c.Dedupe, policy.OrderID)
	return named && c.ReplaySafe(i.first, at)
}

// sameMoney reports whether an answer to another request under the same order names the same payment at the provider.
func (i *identity) sameMoney(o *identity) bool {
	return i != o && i.order != "" && i.order == o.order && i.payment.Provider == o.payment.Provider && !ofAnother(i.payment.Operation) &&
		slices.ContainsFunc(i.own, func(id string) bool { return slices.Contains(o.own, id) })
}

// ofAnother reports whether the provider's id in an operation is that of the payment that it works on.
func ofAnother(op policy.Operation) bool {
	return op == policy.Capture || op == policy.Cancel || op == policy.Refund
}

// ledger is the identities of a payment, by their names.
type ledger struct {
	p               *payment
	d               policy.Decider
	all             []*identity
	pairs           map[[3]string]*identity
	orders, reqs    map[string][]*identity
	owned, nameless map[string][]*identity
}

// identities weighs all evidence: first what was sent, since clocks of several hosts differ, and then what is known of it.
func (p *payment) identities(d policy.Decider) []*identity {
	l := &ledger{
		p: p, d: d, pairs: map[[3]string]*identity{}, orders: map[string][]*identity{}, reqs: map[string][]*identity{},
		owned: map[string][]*identity{}, nameless: map[string][]*identity{},
	}
	for n := range p.events {
		if p.events[n].phase == recorded.Send {
			l.sent(n)
		}
	}
	for n := range p.events {
		e := &p.events[n]
		if e.phase == recorded.Query || e.phase == recorded.Webhook && e.answer.Verified { // else its signature was not checked
			l.weigh(n)
		}
	}
	return l.all
}

func (l *ledger) begin(n int) *identity {
	e := &l.p.events[n]
	i := &identity{payment: e.payment, order: e.order, request: e.request, began: n, first: e.at, executed: -1}
	l.all = append(l.all, i)
	if e.order != "" {
		l.orders[e.order] = append(l.orders[e.order], i)
	}
	if e.request != "" {
		l.reqs[e.request] = append(l.reqs[e.request], i)
	}
	return i
}

// sent enters a send. Two that have no name at all are two, unless the provider has one id for both.
func (l *ledger) sent(n int) {
	e := &l.p.events[n]
	var i *identity
	name := [3]string{e.payment.Provider, e.order, e.request}
	nameless := e.order == "" && e.request == ""
	if nameless {
		if id := e.answer.ProviderID; id != "" && !ofAnother(e.payment.Operation) && len(l.nameless[id]) > 0 {
			i = l.nameless[id][0]
		}
	} else {
		i = l.pairs[name]
	}
	if i == nil {
		i = l.begin(n)
		if !nameless {
			l.pairs[name] = i
		} else if id := e.answer.ProviderID; id != "" {
			l.nameless[id] = append(l.nameless[id], i)
		}
	}
	repeated := len(i.open) > 0
	i.sends = append(i.sends, n)
	if e.own != "" && !slices.Contains(i.own, e.own) {
		i.own = append(i.own, e.own)
		l.owned[e.own] = append(l.owned[e.own], i)
	}
	switch c := &l.d.Terms(i.payment).Contract; e.fact.Effect {
	case policy.Executed:
		i.executed = n
	case policy.NotExecuted:
		stored := c.Replay == policy.FirstResult && e.fact.Stage == policy.Result && e.answer.Fault == policy.NoFault && i.safe(c, e.at)
		if repeated && stored {
			i.open = nil // the answer to a repeat is that of the first
		}
	case policy.Unknown, policy.Pending:
		i.open = append(i.open, n)
	}
}

// about are the identities that a query's answer or a notice may be about.
func (l *ledger) about(e *event) []*identity {
	var all []*identity
	add := func(list []*identity, fits func(*identity) bool) {
		for _, i := range list {
			if i.payment.Provider == e.payment.Provider && fits(i) && !slices.Contains(all, i) {
				all = append(all, i)
			}
		}
	}
	if e.order != "" {
		add(l.orders[e.order], func(*identity) bool { return true })
	}
	if len(all) > 0 {
		return all
	}
	sameOrder := func(i *identity) bool { return !differ(i.order, e.order) }
	if e.request != "" {
		add(l.reqs[e.request], sameOrder)
	}
	if e.own != "" {
		add(l.owned[e.own], sameOrder)
	}
	return all
}

// weigh puts a query's answer or a notice to the identity that it is about.
func (l *ledger) weigh(n int) {
	e := &l.p.events[n]
	candidates := l.about(e)
	if len(candidates) == 0 {
		if e.fact.Effect == policy.Executed && e.phase == recorded.Webhook && e.order != "" && !ofAnother(e.payment.Operation) {
			l.begin(n).executed = n // its send is not in the log
		}
		return
	}
	if named := exact(candidates, e); len(named) == 1 {
		candidates = named
	}
	i := candidates[len(candidates)-1]
	odd := differAmounts(e.answer.Amount, i.payment.Amount)
	switch {
	case odd && e.fact.Effect == policy.Executed:
		i.reopened = true // money moved, and it cannot be said for which of them
	case odd:
	case e.fact.Effect == policy.Executed:
		if already := find(candidates, func(i *identity) bool { return i.executed >= 0 }); already != nil {
			already.proofs = append(already.proofs, n)
			return // the same money, as far as this answer can say
		}
		if possible := find(candidates, (*identity).may); possible != nil && !i.may() {
			i = possible
		}
		i.executed, i.proofs = n, append(i.proofs, n)
	case e.fact.Class == policy.NotFound:
		if e.phase == recorded.Query && l.absent(candidates, e.at) {
			for _, i := range candidates {
				i.settle(&l.p.events, e.at)
			}
		}
	case e.fact.Effect == policy.NotExecuted:
		if c := &l.d.Terms(i.payment).Contract; len(candidates) == 1 && (len(i.open) < 2 || i.safe(c, l.p.events[i.open[len(i.open)-1]].at)) {
			i.settle(&l.p.events, e.at) // of several copies that the provider may execute each, it may be about any
		}
	case e.fact.Effect == policy.Pending:
		i.reopened = i.reopened || len(i.sends) > 0 && !i.may() && i.executed < 0
	}
}

// settle closes the sends that had ended when the provider was asked.
func (i *identity) settle(events *[]event, asked time.Time) {
	i.open = slices.DeleteFunc(i.open, func(n int) bool { return !(*events)[n].done.After(asked) })
	i.reopened = false
}

// absent reports whether "not found" proves that nothing executed and nothing will: the contract says after how long it does,
// and no copy can be on its way.
func (l *ledger) absent(all []*identity, asked time.Time) bool {
	for _, i := range all {
		c := &l.d.Terms(i.payment).Contract
		if c.NotFoundAfter <= 0 || c.ArrivalGrace <= 0 {
			return false
		}
		for _, n := range i.sends {
			if sent := l.p.events[n].at; asked.Before(sent.Add(c.NotFoundAfter)) || asked.Before(sent.Add(c.CallTimeout()+c.ArrivalGrace)) {
				return false
			}
		}
	}
	return true
}

// exact are those that an answer names by more than their order.
func exact(all []*identity, e *event) []*identity {
	var named []*identity
	for _, i := range all {
		if e.answer.RequestID != "" && i.request == e.answer.RequestID || e.request != "" && i.request == e.request || e.own != "" && slices.Contains(i.own, e.own) {
			named = append(named, i)
		}
	}
	return named
}

func find(all []*identity, is func(*identity) bool) *identity {
	for _, i := range all {
		if is(i) {
			return i
		}
	}
	return nil
}
